export { mintServerEvent, type ServerDraft, type ServerEvent } from '@latchwork/core/ledger'
