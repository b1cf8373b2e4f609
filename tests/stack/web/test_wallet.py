"""Connecting, signing in, the network, and who sees what."""

from __future__ import annotations

from eth_account import Account
from eth_account.messages import encode_defunct
from playwright.sync_api import Browser, Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.launches import account
from tests.stack.web.conftest import PATIENCE_MILLISECONDS, WALLET_PEER, check_page, connect
from tests.stack.web.mocked import MockedList

# A browser wallet (EIP-1193) on another chain, whose owner signs by what the test exposes.
BROWSER_WALLET = """
const listeners = {};
let account = "ADDRESS", chain = "0x1";
window.ethereum = {
  on: (event, listener) => (listeners[event] ??= []).push(listener),
  removeListener: (event, listener) => (listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener)),
  changeAccount: (next) => {
    account = next;
    (listeners.accountsChanged ?? []).forEach((listener) => listener([next]));
  },
  request: async ({method, params}) => {
    if (method === "eth_accounts" || method === "eth_requestAccounts") return [account];
    if (method === "eth_chainId") return chain;
    if (method === "personal_sign") {
      const signature = await window.signForTest(params[0]);
      if (!signature) throw {code: 4001, message: "User rejected the request"};
      return signature;
    }
    if (method === "wallet_switchEthereumChain") {
      chain = params[0].chainId;
      (listeners.chainChanged ?? []).forEach((listener) => listener(chain));
      return null;
    }
    throw {code: 4200, message: `no ${method}`};
  },
};
"""


def test_the_development_wallet_connects_and_signs_in(page: Page, stack: RunningStack) -> None:
    page.goto("/")
    expect(page.get_by_text("Connect your wallet to see what is yours")).to_be_visible()
    check_page(page, "not-connected")
    page.get_by_role("button", name="Connect wallet").click()
    expect(page.get_by_role("dialog", name="Connect a wallet")).to_be_visible()
    check_page(page, "connect-wallet")
    page.keyboard.press("Escape")
    address = account(stack, "user")["address"]
    assert connect(page) == f"{address[:6]}…{address[-4:]}"
    page.reload()
    expect(page.get_by_role("button", name="Wallet 0x")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_have_count(0)


def test_a_wallet_on_another_network_is_asked_to_switch(page: Page, stack: RunningStack) -> None:
    MockedList().serve(page)
    held = account(stack, "user", 5)
    signer = Account.from_key(held["private_key"])
    page.expose_function(
        "signForTest", lambda message: signer.sign_message(encode_defunct(hexstr=message)).signature.to_0x_hex()
    )
    page.add_init_script(BROWSER_WALLET.replace("ADDRESS", held["address"]))
    page.goto("/")
    page.get_by_role("button", name="Connect wallet").click()
    page.get_by_role("dialog").get_by_role("button", name="Browser wallet").click()
    expect(page.get_by_role("button", name="Wallet 0x")).to_contain_text(held["address"][:6])
    prompt = page.get_by_role("alert")
    expect(prompt).to_contain_text("Wrong network")
    expect(page.get_by_text("No active deployments")).to_be_visible()
    check_page(page, "wrong-network")
    prompt.get_by_role("button", name="Switch to").click()
    expect(prompt).to_have_count(0)
    # An account that its owner changes to in the wallet has to sign in itself.
    page.evaluate("window.ethereum.changeAccount('0x00000000000000000000000000000000000000AA')")
    expect(page.get_by_role("button", name="Sign in with Ethereum")).to_be_visible()


def test_a_refused_signature_is_reported(page: Page, stack: RunningStack) -> None:
    page.expose_function("signForTest", lambda _message: None)
    page.add_init_script(BROWSER_WALLET.replace("ADDRESS", account(stack, "user", 5)["address"]))
    page.goto("/")
    page.get_by_role("button", name="Connect wallet").click()
    page.get_by_role("dialog").get_by_role("button", name="Browser wallet").click()
    expect(page.get_by_role("alert").filter(has_text="Signing in failed")).to_contain_text("rejected")
    expect(page.get_by_role("button", name="Sign in with Ethereum")).to_be_visible()


def test_a_word_is_explained_to_the_pointer_and_the_keyboard(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Connect wallet").click()
    word, tip = page.get_by_role("button", name="nonce"), page.get_by_role("tooltip")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()  # not the word, which comes first
    expect(tip).to_have_count(0)
    word.hover()
    expect(tip).to_contain_text("good for one sign-in")
    check_page(page, "term")
    page.mouse.move(0, 0)
    expect(tip).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(word).to_be_focused()
    expect(tip).to_contain_text("good for one sign-in")
    assert page.evaluate("document.getElementById(document.activeElement.getAttribute('aria-describedby')).innerText")
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_word_is_explained_to_a_finger(browser: Browser, stack: RunningStack) -> None:
    context = browser.new_context(base_url=stack.described["dashboard"], viewport=WALLET_PEER, has_touch=True)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="Connect wallet").tap()
    page.get_by_role("button", name="nonce").tap()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("good for one sign-in")
    box = page.locator("[data-radix-popper-content-wrapper]").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= WALLET_PEER["width"]
    page.get_by_text("Its keys are public").tap()
    expect(tip).to_have_count(0)
    context.close()


def test_an_address_that_is_no_page_leads_back(page: Page) -> None:
    page.goto("/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    check_page(page, "not-found")
    page.get_by_role("link", name="Go to the dashboard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
