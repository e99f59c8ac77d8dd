import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/**
 * One folder of `src` is one page, and one page is one folder of `dist` with all it needs: the edge ships `dist/kiosk` alone.
 * The page is chosen with `--mode`. `./` keeps addresses relative, so a page works under any path;
 * the console alone has addresses of its own inside, and lies at the root of its server.
 */
export default defineConfig(({ mode: page }) => ({
	root: `src/${page}`,
	base: page === 'console' ? '/' : './',
	publicDir: false,
	plugins: [react()],
	build: {
		outDir: `../../dist/${page}`,
		emptyOutDir: true,
		target: ['chrome125', 'firefox128', 'safari18'],
		modulePreload: { polyfill: false },
		assetsInlineLimit: 0,
	},
}))
