/** The one of the offered media types that an `Accept` header likes best; the first of them when it does not care or takes none. */
export function preferredType<const T extends string>(accept: string | undefined, offers: readonly [T, ...T[]]): T {
  const ranges = (accept ?? '*/*').split(',').map(parseRange);
  let best = offers[0];
  let bestQuality = -1;
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges);
    if (quality > bestQuality) [best, bestQuality] = [offer, quality];
  }
  return best;
}

interface Range {
  type: string;
  quality: number;
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = q === undefined ? 1 : Number(q.slice(2));
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** Of the most specific range that matches (RFC 9110, section 12.5.1). */
function qualityOf(offer: string, ranges: Range[]): number {
  const group = `${offer.split('/')[0]}/*`;
  const range = [offer, group, '*/*'].map((type) => ranges.find((r) => r.type === type)).find((r) => r !== undefined);
  return range?.quality ?? 0;
}
