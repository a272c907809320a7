// What the page asks of the gateway, beside the stream of events. A write, or anything that is answered with 401, asks for the token once.
const kBase = 'api/v1';

export class ApiError extends Error {
  constructor(status, { code, message, pointer = '' }) {
    super(message);
    Object.assign(this, { status, code, pointer });
  }
}

// Whose words count: the session's. `ask` is the dialog's (token.js): true when the cookie is there now.
export const access = { mayRead: true, mayWrite: false, ask: async () => false, changed: () => {} };

async function fault(answer) {
  let document = null;
  try { document = await answer.json(); } catch { /* not ours: a proxy's page, say */ }
  const error = document?.error ?? {};
  return new ApiError(answer.status, {
    code: String(error.code ?? `http_${answer.status}`), pointer: String(error.pointer ?? ''),
    message: String(error.message ?? `The gateway answered with ${answer.status} ${answer.statusText}`),
  });
}

async function send(path, options) {
  try {
    return await fetch(`${kBase}/${path}`, { credentials: 'same-origin', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, { code: 'no_answer', message: 'The gateway did not answer. Nothing is known of what it did; look again when it is back.' });
  }
}

async function request(path, options = {}) {
  const write = (options.method ?? 'GET') !== 'GET';
  if (write && !access.mayWrite && !await access.ask(true)) throw new ApiError(401, kWithoutToken);
  let answer = await send(path, options);
  if (answer.status === 401 && await access.ask(write)) answer = await send(path, options);
  if (!answer.ok) throw await fault(answer);
  return answer;
}

const kWithoutToken = { code: 'token_wanted', message: 'Nothing was sent: it needs the token.' };

export async function get(path, options = {}) {
  return (await request(path, options)).json();
}

export async function getText(path, options = {}) {
  return (await request(path, options)).text();
}

// The `data` of the reply, with its warnings; a refusal is thrown as ApiError.
export async function command(verb, body) {
  const answer = await request(`commands/${verb}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  const reply = await answer.json();
  if (reply.status !== 'ok') throw new ApiError(answer.status, reply.error);   // going_on, too: nobody knows yet how it ends
  return { ...reply.data, warnings: reply.warnings ?? [] };
}

export async function putArtifact(name, query, file) {
  const parameters = new URLSearchParams(query);
  const answer = await request(`artifacts/${encodeURIComponent(name)}?${parameters}`, {
    method: 'PUT', headers: { 'Content-Type': 'application/octet-stream' }, body: file,
  });
  const reply = await answer.json();
  if (reply.status !== 'ok') throw new ApiError(answer.status, reply.error);
  return reply.data;
}

export async function session() {
  const answer = await send('session', {});
  if (!answer.ok) throw await fault(answer);
  const known = await answer.json();
  Object.assign(access, { mayRead: known.may_read === true, mayWrite: known.may_write === true });
  access.changed();
  return known;
}

// The token becomes the cookie; it is kept nowhere in the page.
export async function logIn(token) {
  const answer = await send('session', { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) throw await fault(answer);
  await session();
}

export async function logOut() {
  const answer = await send('session', { method: 'DELETE' });
  if (!answer.ok) throw await fault(answer);
  await session();
}

export const transcriptPath = (module, job) => `modules/${encodeURIComponent(module)}/transcript${job ? `?job=${encodeURIComponent(job)}` : ''}`;
export const href = (path) => `${kBase}/${path}`;
