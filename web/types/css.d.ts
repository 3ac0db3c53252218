// esbuild turns an imported style into main.css; to TypeScript it is only there.
declare module "*.css";
