"""WalletConnect and Coinbase Wallet: both libraries as they are, before a wallet that stands in for the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import httpx
import pytest
from eth_account import Account
from eth_account.messages import defunct_hash_message
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from web3 import Web3

from local.ports import free_ports
from local.web import WEB
from tests.stack.conftest import RunningStack
from tests.stack.web.conftest import DESKTOP, PATIENCE_MILLISECONDS, check_page
from tests.support.passkey import Passkey
from tests.support.waiting import eventually

WALLET_PEER = Path(__file__).parents[2] / "support" / "walletconnect" / "wallet_peer.mjs"
KEYS = "https://keys.coinbase.com"
MAX_SECONDS = 150
# What keys.coinbase.com says to a page (postMessage, ECDH, AES-GCM); the test answers what the passkey's owner would.
KEYS_PAGE = """<!doctype html><title>Passkey wallet</title><script type="module">
const encode = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
const decode = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const curve = {name: "ECDH", namedCurve: "P-256"};
const own = await crypto.subtle.generateKey(curve, true, ["deriveKey"]);
const sender = encode(await crypto.subtle.exportKey("spki", own.publicKey));
const post = (message) => window.opener.postMessage(message, "*");
window.addEventListener("message", async ({data: message}) => {
  if (message.event === "selectSignerType") return post({requestId: message.id, data: "scw"});
  if (!message.content) return;
  const peer = await crypto.subtle.importKey("spki", decode(message.sender), curve, true, []);
  const cipher = {name: "AES-GCM", length: 256};
  const agreed = {name: "ECDH", public: peer};
  const shared = await crypto.subtle.deriveKey(agreed, own.privateKey, cipher, false, ["encrypt", "decrypt"]);
  const {handshake, encrypted} = message.content;
  let action = handshake;
  if (encrypted) {
    const plain = await crypto.subtle.decrypt({name: "AES-GCM", iv: encrypted.iv}, shared, encrypted.cipherText);
    action = JSON.parse(new TextDecoder().decode(plain)).action;
  }
  const answer = new TextEncoder().encode(JSON.stringify(await window.answerForTest(action)));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const cipherText = await crypto.subtle.encrypt({name: "AES-GCM", iv}, shared, answer);
  const content = {encrypted: {iv, cipherText}};
  post({id: crypto.randomUUID(), requestId: message.id, sender, content, timestamp: new Date()});
});
post({event: "PopupLoaded", id: crypto.randomUUID()});
</script>"""

type Dashboard = Callable[..., Page]


@pytest.fixture
def dashboard(browser: Browser, stack: RunningStack, tmp_path: Path) -> Iterator[Dashboard]:
    """Yield the dashboard with other wallets, from a server of its own; its content security policy holds."""
    told = httpx.get(f"{stack.described['dashboard']}/local-config.json").json()
    processes: list[subprocess.Popen[bytes]] = []
    contexts: list[BrowserContext] = []
    thrown: list[str] = []

    def opened(*, bypass_csp: bool = False, **wallets: Any) -> Page:
        configuration = tmp_path / "local-config.json"
        # Without the development wallet, as a visitor has it.
        configuration.write_text(json.dumps({**told, "accounts": [], **wallets}), encoding="utf-8")
        (port,) = free_ports(1)
        command = [sys.executable, "-m", "local.dashboard", "--port", str(port), "--configuration", str(configuration)]
        processes.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        base = f"http://localhost:{port}"
        eventually(lambda: _answers(base), within=PATIENCE_MILLISECONDS / 1000, what="the dashboard answers")
        context = browser.new_context(base_url=base, viewport=DESKTOP, bypass_csp=bypass_csp, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: thrown.append(str(error)))
        return tab

    yield opened
    for context in contexts:
        context.close()
    for process in processes:
        process.terminate()
        process.wait(timeout=10)
    assert thrown == []


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def telephone() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start a wallet on a telephone with a key."""
    started: list[subprocess.Popen[str]] = []
    timers: list[Timer] = []

    def start(key: str) -> subprocess.Popen[str]:
        told = json.dumps({"web": str(WEB), "key": key, "chainId": 31337})
        started.append(
            subprocess.Popen(
                ["node", WALLET_PEER, told], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
        )
        # What reads from it then reads its end.
        timers.append(Timer(MAX_SECONDS, started[-1].kill))
        timers[-1].start()
        return started[-1]

    yield start
    for timer in timers:
        timer.cancel()
    for process in started:
        process.kill()
        process.wait(timeout=10)


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def _tell(process: subprocess.Popen[str], **order: Any) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(order) + "\n")


def _choose(page: Page, name: str) -> None:
    page.get_by_role("button", name="Connect wallet").click()
    page.get_by_role("dialog").get_by_role("button", name=name).click()


def _foreign(page: Page) -> list[str]:
    """Return what the tab asks from elsewhere than this machine, as it goes."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    return asked


def _elsewhere(asked: list[str]) -> list[str]:
    return [url for url in asked if "://localhost" not in url and "://127.0.0.1" not in url]


def test_only_what_is_configured_is_offered_and_nothing_is_loaded_before_it_is_picked(dashboard: Dashboard) -> None:
    page = dashboard(walletConnectProjectId="", coinbaseWallet=False)
    page.goto("/")
    page.get_by_role("button", name="Connect wallet").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("No wallet was found in this browser")).to_be_visible()
    for name in ("WalletConnect", "Coinbase Wallet"):
        expect(dialog.get_by_role("button", name=name)).to_have_count(0)
    policy = page.request.get("/").headers["content-security-policy"]
    assert "walletconnect" not in policy
    assert "walletlink" not in policy

    page = dashboard(walletConnectProjectId="0" * 32, coinbaseWallet=True, bypass_csp=True)
    asked = _foreign(page)
    page.goto("/")
    page.get_by_role("button", name="Connect wallet").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="WalletConnect")).to_be_visible()
    expect(dialog.get_by_role("button", name="Coinbase Wallet")).to_contain_text("with a passkey")
    check_page(page, "remote-wallets")
    assert _elsewhere(asked) == []
    policy = page.request.get("/").headers["content-security-policy"]
    assert "wss://relay.walletconnect.org" in policy
    assert "frame-src https://verify.walletconnect.org;" in policy
    assert "wss://www.walletlink.org" in policy


def test_a_wallet_on_a_telephone_signs_in_by_walletconnect(
    dashboard: Dashboard, telephone: Callable[[str], subprocess.Popen[str]]
) -> None:
    owner = Account.create()
    wallet = telephone(owner.key.to_0x_hex())
    relay = _told(wallet)["port"]
    page = dashboard(walletConnectProjectId="0" * 32, coinbaseWallet=False)
    asked = _foreign(page)
    page.context.route("https://verify.walletconnect.org/**", lambda route: route.fulfill(status=404))
    page.add_init_script(
        "const Real = WebSocket; window.WebSocket = class extends Real { constructor(url, ...more) { super("
        f"String(url).replace('wss://relay.walletconnect.org', 'ws://127.0.0.1:{relay}'), ...more); }} }};"
        "window.blocked = [];"
        "window.addEventListener('securitypolicyviolation', (event) => blocked.push(event.blockedURI));"
    )
    page.goto("/")
    _choose(page, "WalletConnect")
    code = page.get_by_role("img", name="Code to scan with your wallet")
    expect(code).to_be_visible()
    uri = page.get_by_role("link", name="Open a wallet on this device").get_attribute("href")
    assert uri
    assert uri.startswith("wc:")

    # Somebody who thinks better of it is back at the choice; what the telephone refuses is said.
    page.get_by_role("button", name="Choose another wallet").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="WalletConnect")).to_be_enabled()
    page.get_by_role("dialog").get_by_role("button", name="WalletConnect").click()
    expect(code).to_be_visible()
    again = page.get_by_role("link", name="Open a wallet on this device").get_attribute("href")
    _tell(wallet, reject=True, pair=again)
    assert _told(wallet)["name"] == "Slipway"
    expect(page.get_by_role("alert").filter(has_text="The wallet did not connect")).to_be_visible()

    page.get_by_role("dialog").get_by_role("button", name="WalletConnect").click()
    expect(code).to_be_visible()
    last = page.get_by_role("link", name="Open a wallet on this device").get_attribute("href")
    _tell(wallet, reject=False, pair=last)
    assert _told(wallet)["proposer"] == page.url.rstrip("/")
    shown = page.get_by_role("button", name=f"Wallet {owner.address[:6]}")
    expect(shown).to_be_visible()
    expect(page.get_by_text("No active deployments")).to_be_visible()

    page.reload()
    expect(shown).to_be_visible()
    expect(page.get_by_text("No active deployments")).to_be_visible()
    blocked = page.evaluate("window.blocked")
    # Its telemetry is not let through, and nothing else is missed.
    assert {url for url in blocked if "pulse.walletconnect.org" not in url} == set()
    assert {url.split("/")[2] for url in _elsewhere(asked)} <= {"verify.walletconnect.org", "pulse.walletconnect.org"}
    shown.click()
    page.get_by_role("menuitem", name="Disconnect").click()
    expect(page.get_by_role("button", name="Connect wallet")).to_be_visible()


def test_a_passkey_wallet_signs_in_by_its_contract(dashboard: Dashboard, stack: RunningStack) -> None:
    chain = stack.chains[0]
    web3 = Web3(Web3.HTTPProvider(chain["rpc_url"]))
    passkey = Passkey("keys.coinbase.com")
    address = passkey.deploy(web3, web3.eth.accounts[0])

    def answered(action: dict[str, Any]) -> dict[str, Any]:
        if action["method"] == "eth_requestAccounts":
            value: Any = [address]
        else:
            assert action["method"] == "personal_sign"
            digest = bytes(defunct_hash_message(hexstr=action["params"][0]))
            value = "0x" + passkey.sign(digest).hex()
        return {"result": {"value": value}, "data": {"chains": {str(chain["chain_id"]): chain["rpc_url"]}}}

    def keys(route: Route) -> None:
        route.fulfill(content_type="text/html", body=KEYS_PAGE)

    page = dashboard(walletConnectProjectId="", coinbaseWallet=True)
    page.context.expose_function("answerForTest", answered)
    page.context.route(f"{KEYS}/**", keys)
    page.goto("/")
    _choose(page, "Coinbase Wallet")
    expect(page.get_by_role("button", name=f"Wallet {address[:6]}")).to_be_visible()
    # A second window needs a click of its own, or browsers block it.
    page.get_by_role("button", name="Sign in with Ethereum").click()
    expect(page.get_by_text("No active deployments")).to_be_visible()
    assert json.loads(page.evaluate("localStorage.getItem('slipway.session')"))["wallet"].lower() == address.lower()
    # Not the passkey's: another one's signature is refused.
    page.get_by_role("button", name=f"Wallet {address[:6]}").click()
    page.get_by_role("menuitem", name="Disconnect").click()
    passkey = Passkey("keys.coinbase.com")
    _choose(page, "Coinbase Wallet")
    page.get_by_role("button", name="Sign in with Ethereum").click()
    expect(page.get_by_role("alert").filter(has_text="Signing in failed")).to_be_visible()
