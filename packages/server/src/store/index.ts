export { type Embedded, type EmbeddedConfig, startEmbedded } from './embedded.ts'
export { type MigrateConfig, type Migration, migrate, readMigrations } from './migrate.ts'
export { type Sql, sql } from './sql.ts'
export { type Db, openStore, type Store, type StoreConfig, type Tx } from './store.ts'
