"""What jobs enter of their state machines when nothing goes wrong and the first look finds a transaction confirmed."""

DEPLOYER_ACCOUNTS = 4
"""As many as the template has."""

TOKEN_STATES = ("Work", "Due", "Sign", "Work", "Due", "Pause", "Work", "Due", "Done")
"""What a launch enters of token_deploy."""


BUILD_STATES = (
    *("Begin", "Generate", "NextStage", "Compile", "NextStage", "Audit", "NextStage", "Prepare", "AnyChains", "Deploy"),
    *("Branch", "BeginDeployment", "BeginProgress", "SignDeployment", "BroadcastDeployment", "BroadcastProgress"),
    *("WaitForDeployment", "ConfirmDeployment", "DeploymentProgress", "ChainDone", "Complete", "AllEnded", "NextStage"),
    "Done",
)
"""What a build for one chain enters."""
