"""Who is asking: Sign-In with Ethereum, access tokens, external issuers."""
