/** How finely the heart is made: half as finely along and across where no graphics card draws it. */

/** Whether the processor draws in place of a graphics card: then smoothness of motion goes before smoothness of edges. */
function drawnBySoftware(): boolean {
  if (typeof document === "undefined") return false;
  const pen = document.createElement("canvas").getContext("webgl2"), told = pen?.getExtension("WEBGL_debug_renderer_info");
  const name = told ? String(pen?.getParameter(told.UNMASKED_RENDERER_WEBGL)) : "";
  pen?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

/** `?fine` in the page's address asks for the finer one all the same. */
const asked = typeof location !== "undefined" && new URLSearchParams(location.search).has("fine");
export const PLAINER = !asked && drawnBySoftware();
/** Steps of a mesh, of `n` on a graphics card. */
export const fine = (n: number): number => (PLAINER ? Math.max(3, Math.round(n / 2)) : n);
