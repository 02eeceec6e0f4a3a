import { defineConfig } from "vitest/config";

// `base: "./"` keeps every address relative to the script itself, so the page works below any static URL.
export default defineConfig({
  base: "./",
  build: {
    outDir: "dist",
    manifest: true,
    target: "es2023",
    chunkSizeWarningLimit: 2500,
    rolldownOptions: { input: "src/main.ts" },
  },
  worker: { format: "es" },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
