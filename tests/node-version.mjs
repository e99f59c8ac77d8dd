// Runs before `npm start` and `npm test` under whatever Node is there, so it is plain JavaScript of Node 20.
// On Linux (x64, arm64) npm puts the pinned Node 24 of node_modules/.bin first on PATH; elsewhere an installed one must do.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
	process.stderr.write(
		`Latchwork needs Node 24 or newer and this is ${process.version} (${process.execPath}).\n` +
			'Linux x64 and arm64: run `npm ci` without --omit=optional, then use npm (`npm start`, `npm test`): it brings its own Node 24.\n' +
			'Other systems: install Node 24 or newer from your package manager and try again.\n',
	)
	process.exit(1)
}
