// The page of a site owner: one script, one tag, and, when asked, a strict policy.
//
// Query: `server` (where embed.js and the signaling are), `media` (origin of the video), `csp`
// (`strict`: nothing but what the documentation asks for; `no-wasm`: the same without WebAssembly), and
// `tag-<name>` for every attribute of the tag.

/** Answers `/embed`; for an origin's `intercept`. */
export function pageOf(request, response) {
  const url = new URL(request.url, 'http://page');
  if (url.pathname !== '/embed') return false;
  const ask = (name) => url.searchParams.get(name) ?? '';
  const policy = policyOf(ask('csp'), ask('server'), ask('media'));
  if (policy) response.setHeader('content-security-policy', policy);
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(html(ask('server'), attributesOf(url.searchParams)));
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

function attributesOf(query) {
  const attributes = { muted: '', autoplay: '', playsinline: '', controls: '' };
  for (const [name, value] of query) if (name.startsWith('tag-')) attributes[name.slice(4)] = value;
  return Object.entries(attributes).map(([name, value]) => `${name}="${escape(value)}"`).join(' ');
}

function html(server, attributes) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A site with a video</title>
<script type="module" src="${escape(server)}/embed.js"></script>
<h1>A site with a video</h1>
<starling-player ${attributes}></starling-player>
</html>`;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
