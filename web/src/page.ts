/** Short names for the document. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found as T;
}

export function text(id: string, words: string): void {
  const element = byId(id);
  if (element.textContent !== words) element.textContent = words;
}

/** A new element with a class and words in it. */
export function make<K extends keyof HTMLElementTagNameMap>(name: K, className = "", words = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (words) made.textContent = words;
  return made;
}

/** The pen of a canvas, cleared, in pixels of the page; null where the canvas is not shown. */
export function penOf(canvas: HTMLCanvasElement): { pen: CanvasRenderingContext2D; w: number; h: number } | null {
  const ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight, pen = canvas.getContext("2d");
  if (!pen || w === 0 || h === 0) return null;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, w, h);
  return { pen, w, h };
}
