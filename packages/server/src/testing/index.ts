export { type TestCluster, type TestStore, type TestStoreOptions, testCluster, testStore } from './test-store.ts'
