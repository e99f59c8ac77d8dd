export {
	type Checkpoint,
	formatCheckpoint,
	type OpenedCheckpoint,
	openCheckpoint,
	parseCheckpoint,
	peekCheckpoint,
	signCheckpoint,
} from './checkpoint.ts'
export { EVENT_TYPES, type EventDraft, type EventType, MAX_EVENT_BYTES, NO_PREVIOUS, type StreamEvent } from './event.ts'
export { readExport, writeExport } from './export.ts'
export { type EventReader, readEvents, readLogEvent, type StreamEnd } from './log-events.ts'
export { bundlesOf, checkpointPath, exportPaths, LOG_FILES, readmeOf, statementOf } from './log-export.ts'
export { type EntryProof, formatProof, type OpenedProof, openProof, parseProof } from './log-proof.ts'
export { type BadLog, type GoodLog, type LogFault, type LogTerms, type LogVerdict, type ReadFile, verifyLog } from './log-verify.ts'
export { formatVerifierKey, keyIdOf, type NoteFault, type NoteKey, openNote, parseVerifierKey, signNote } from './note.ts'
export { scanForPersonalData } from './personal-data.ts'
export { proveConsistency, proveInclusion, type ReadTile, type TreeHead, verifyConsistency, verifyInclusion } from './proof.ts'
export { type ReadEvent, readEvent } from './read-event.ts'
export { mintServerEvent, SERVER_EVENT_TYPES, type ServerDraft, type ServerEvent, type ServerEventType } from './server-event.ts'
export { type MintContext, type Minted, mint, openStream, type SignedHead, type StreamHead, signHead, streamStarted } from './stream.ts'
export { bundleEntries, entriesPath, HASH_BYTES, parseTilePath, readBundle, TILE_WIDTH, type TileAt, tilePath, tilesOf, widthAt } from './tiles.ts'
export { EMPTY_TREE, edgeTiles, type GrowingTree, growTree, hashLeaf, type RightEdge, type Tile } from './tree.ts'
export { isHeadGenuine, type StreamFault, type StreamVerdict, type VerifyTerms, verifyStream } from './verify.ts'
