// Between the browser's wallet and the command line on this machine: brings the wallet's address to it, comes back with
// the text to sign, and brings the signature. The command line exchanges it itself: no token is ever in this page.
const asked = new URLSearchParams(location.hash.slice(1));
const button = document.getElementById('sign');
const state = document.getElementById('state');

function bring(path, given) {
  const query = new URLSearchParams({ state: asked.get('state'), ...given });
  location.assign(`http://127.0.0.1:${Number(asked.get('port'))}/${path}?${query}`);
}

async function ask(request) {
  button.disabled = true;
  state.textContent = 'Your wallet asks you …';
  try {
    if (!window.ethereum) throw new Error('there is no wallet in this browser');
    await request();
  } catch (error) {
    state.textContent = `Not signed: ${error.message ?? error}`;
    button.disabled = false;
  }
}

async function connect() {
  const [address] = await ethereum.request({ method: 'eth_requestAccounts' });
  bring('wallet', { address });
}

async function sign() {
  const bytes = Array.from(new TextEncoder().encode(asked.get('message')), (byte) => byte.toString(16).padStart(2, '0'));
  const params = [`0x${bytes.join('')}`, asked.get('address')];
  bring('signed', { signature: await ethereum.request({ method: 'personal_sign', params }) });
}

const next = asked.has('message') ? sign : connect;
button.addEventListener('click', () => ask(next));
if (next === sign) ask(sign);
