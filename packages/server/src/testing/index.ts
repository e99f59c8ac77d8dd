export { realClock, type TestCluster, type TestStore, type TestStoreOptions, testCluster, testStore, throwawayCluster } from './test-store.ts'
