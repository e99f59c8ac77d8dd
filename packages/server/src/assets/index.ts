export { type Asset, assetByTag, assetsAt, custodiansAt, custodyOf, findAsset, typeCodes } from './read.ts'
export { assetRoutes } from './routes.ts'
export { applyCustody, changeAsset, createAsset, createAssetType, retireAsset } from './write.ts'
