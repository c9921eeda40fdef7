export const width = 920;
export const margin = 24;
/** Labels end here and bars begin after them. */
export const labelEnd = 330;
export const plotStart = 342;
export const plotEnd = 800;

export const colour = {
  ours: '#1f6feb',
  theirs: '#9aa4b2',
  proven: '#c9d1da',
  ink: '#1c2128',
  soft: '#57606a',
  grid: '#e5e8ec',
  alarm: '#b42318',
  phases: ['#8250df', '#bc4c00', '#bf8700', '#1a7f37', '#0969da'],
};

/** A linear scale from zero in milliseconds, with four to eight round ticks. */
export function scale(highest: number, unit: 's' | 'ms'): { x: (value: number) => number; ticks: { at: number; label: string }[] } {
  const rough = Math.max(highest, 0.001) / 7;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const end = Math.ceil(highest / step) * step;
  const x = (value: number) => plotStart + (value / end) * (plotEnd - plotStart);
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => {
    const shown = (i * step) / (unit === 's' ? 1000 : 1);
    return { at: i * step, label: i === 0 ? '0' : `${Number(shown.toPrecision(6))} ${unit}` };
  });
  return { x, ticks };
}

export function text(
  x: number,
  y: number,
  content: string,
  { size, fill = colour.ink, weight, anchor }: { size: number; fill?: string; weight?: number; anchor?: 'end' | 'middle' },
): string {
  const more = `${weight === undefined ? '' : ` font-weight="${weight}"`}${anchor === undefined ? '' : ` text-anchor="${anchor}"`}`;
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${fill}"${more}>${escaped(content)}</text>`;
}

export function rect(x: number, y: number, wide: number, high: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(wide)}" height="${round(high)}" fill="${fill}"/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string, more = ''): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}"${more === '' ? '' : ` ${more}`}/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
