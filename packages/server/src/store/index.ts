export { type Sql, sql } from './sql.ts'
export { type Db, openStore, type Store, type StoreConfig, type Tx } from './store.ts'
