// The page of a site owner: one script, one tag, and, when asked, a strict policy.
//
// Query: `server` (where embed.js and the signaling are), `media` (origin of the video), `csp`
// (`strict`: nothing but what the documentation asks for; `no-wasm`: the same without WebAssembly), and
// `tag-<name>` for every attribute of the tag. `/attach` is a site with a player of hls.js of its own; `/file` one with a
// `<starling-file>`.

/** Answers `/embed`, `/attach` and `/file`; for an origin's `intercept`. */
export function pageOf(request, response) {
  const url = new URL(request.url, 'http://page');
  if (!['/embed', '/attach', '/file'].includes(url.pathname)) return false;
  const ask = (name) => url.searchParams.get(name) ?? '';
  const policy = policyOf(ask('csp'), ask('server'), ask('media'));
  if (policy) response.setHeader('content-security-policy', policy);
  response.setHeader('content-type', 'text/html; charset=utf-8');
  const pages = {
    '/embed': () => tagged('video', 'starling-player', ask('server'), attributesOf(url.searchParams)),
    '/attach': () => attached(ask('server'), ask('tag-src')),
    '/file': () => tagged('file', 'starling-file', ask('server'), attributesOf(url.searchParams, {})),
  };
  response.end(pages[url.pathname]());
  return true;
}

function policyOf(name, server, media) {
  if (name === '') return null;
  const signal = server.replace(/^http/, 'ws');
  const wasm = name === 'no-wasm' ? '' : " 'wasm-unsafe-eval'";
  return [
    "default-src 'none'",
    `script-src ${server}${wasm}`,
    `connect-src ${server} ${signal} ${media}`,
    'media-src blob:',
    'worker-src blob:',
  ].join('; ');
}

function attributesOf(query, always = { muted: '', autoplay: '', playsinline: '', controls: '' }) {
  const attributes = { ...always };
  for (const [name, value] of query) if (name.startsWith('tag-')) attributes[name.slice(4)] = value;
  return Object.entries(attributes).map(([name, value]) => `${name}="${escape(value)}"`).join(' ');
}

/** A page with one of our tags. */
function tagged(what, tag, server, attributes) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A site with a ${what}</title>
<script type="module" src="${escape(server)}/embed.js"></script>
<h1>A site with a ${what}</h1>
<${tag} ${attributes}></${tag}>
</html>`;
}

function attached(server, src) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A site with a player</title>
<video muted autoplay playsinline></video>
<script type="module">
  import { attach, loadHls } from ${JSON.stringify(`${server}/embed.js`)};
  const Hls = await loadHls();
  const hls = new Hls({ maxBufferLength: 30, maxMaxBufferLength: 30 });
  window.attachment = await attach(hls);
  hls.attachMedia(document.querySelector('video'));
  hls.loadSource(${JSON.stringify(src)});
</script>
</html>`;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
