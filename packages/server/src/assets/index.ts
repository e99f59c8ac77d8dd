export { type Asset, type AssetType, assetByTag, assetsAt, custodiansAt, findAsset, findAssetType } from './read.ts'
export { assetRoutes } from './routes.ts'
export { type AssetFields, type AssetPatch, applyCustody, changeAsset, createAsset, createAssetType, retireAsset } from './write.ts'
