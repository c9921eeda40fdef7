/**
 * Splits a command text into words by spaces, with single quotes, double quotes and backslashes, as Compose does (a backslash takes the next
 * character as it is, inside double quotes too). Nothing runs a shell: what would need one is an error. Answers the words, or one sentence.
 */
export function splitCommand(text: string): string[] | string {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '' | "'" | '"' = '';
  let escaped = false;
  for (const char of text) {
    if (escaped) {
      word = (word ?? '') + char;
      escaped = false;
    } else if (char === '\\' && quote !== "'") {
      escaped = true;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word = (word ?? '') + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= '';
    } else if (/[ \t\r\n]/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else if ('`();&|<>'.includes(char)) {
      return `no shell runs this text, so ${char} has no meaning; put it in quotes, or write the command as a list: ["sh", "-c", "…"]`;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== '') return `the quote ${quote} is never closed; close it`;
  if (escaped) return 'the text ends in a backslash; remove it, or write \\\\';
  if (word !== null) words.push(word);
  return words;
}
