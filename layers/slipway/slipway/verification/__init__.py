"""Source verification of contracts that Slipway created, at Sourcify and at explorers."""
