"""One module for each kind of contract that the composer makes, each with its `BLUEPRINT`."""

from slipway.builds.composer.blueprint import Blueprint
from slipway.builds.composer.kinds import (
    airdrop,
    auction,
    crowdsale,
    erc20,
    erc721,
    erc1155,
    escrow,
    governor,
    lock,
    splitter,
    staking,
    subscription,
    timelock,
    vesting,
)
from slipway.builds.models import Kind

BLUEPRINTS: dict[Kind, Blueprint] = {
    "erc20": erc20.BLUEPRINT,
    "erc721": erc721.BLUEPRINT,
    "erc1155": erc1155.BLUEPRINT,
    "vesting": vesting.BLUEPRINT,
    "escrow": escrow.BLUEPRINT,
    "timelock": timelock.BLUEPRINT,
    "airdrop": airdrop.BLUEPRINT,
    "auction": auction.BLUEPRINT,
    "crowdsale": crowdsale.BLUEPRINT,
    "governor": governor.BLUEPRINT,
    "lock": lock.BLUEPRINT,
    "splitter": splitter.BLUEPRINT,
    "staking": staking.BLUEPRINT,
    "subscription": subscription.BLUEPRINT,
}
