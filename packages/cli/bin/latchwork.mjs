#!/usr/bin/env node
// Plain JavaScript, so that an old Node can read it and say what to do instead of stumbling over TypeScript.
if (Number(process.versions.node.split('.')[0]) < 24) {
	process.stderr.write(
		`Latchwork needs Node 24, this is ${process.version}. In the repository \`npm ci\` brings it along: use \`npm start\` or \`npx latchwork\`.\n`,
	)
	process.exit(1)
}
await import('../src/main.ts')
