import { goJson } from './json.mjs';

const jsonType = 'application/json; charset=UTF-8';

/** JSON, indented. */
export const json = (value, status = 200) => ({ status, type: jsonType, text: goJson(value) });
/** JSON in one line under a content type that denies it, as PD sends regions. */
export const compact = (value) => ({ status: 200, type: 'application/octet-stream', text: goJson(value, true) });
/** An error as http.Error writes it. */
export const plain = (status, text) => ({ status, type: 'text/plain; charset=utf-8', text: `${text}\n` });
export const empty = (status) => ({ status, type: null, text: '' });
export const notFound = () => plain(404, '404 page not found');
export const notBootstrapped = () => json('[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first', 500);
export const badNumber = (value) => json({ code: 'input', msg: `strconv.ParseUint: parsing "${value}": invalid syntax`, data: {} }, 400);
export const goPanic = (what) => plain(500, `PANIC: ${what}\ngoroutine 1 [running]:\nnet/http.(*conn).serve()`);

/** Writes a reply and ends the response. */
export function send(response, { status, type, text }) {
  response.writeHead(status, { ...(type === null ? {} : { 'content-type': type }), 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
