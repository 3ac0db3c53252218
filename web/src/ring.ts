/** The last samples of one channel by their number; NaN where nothing came. */
export class Ring {
  private readonly values: Float32Array;
  newest = -1;
  oldest = 0;

  constructor(readonly size: number) { this.values = new Float32Array(size).fill(NaN); }

  clear(): void { this.values.fill(NaN); this.newest = -1; this.oldest = 0; }

  push(first: number, data: (number | null)[], counts: number): void {
    const { size } = this;
    if (this.newest < 0 || first > this.newest + size) { this.values.fill(NaN); this.oldest = first; }
    else for (let i = this.newest + 1; i < first; i++) this.values[i % size] = NaN;
    data.forEach((v, i) => { this.values[(first + i) % size] = v === null ? NaN : v / counts; });
    this.newest = first + data.length - 1;
    this.oldest = Math.max(this.oldest, this.newest - size + 1);
  }

  at(sample: number): number {
    return sample < this.oldest || sample > this.newest ? NaN : this.values[sample % this.size] ?? NaN;
  }
}
