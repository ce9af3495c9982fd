//! Every field that a dialog may have: what stands before it, what it means, and whether it must be filled.

/// Which field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Desired,
    Min,
    Max,
    Processes,
    Image,
    Canary,
    Watch,
    Default,
    Share,
    Base,
    Strategy,
    Types,
    Ended,
    Warmup,
    Rebalancing,
    Maintenance,
    Replacing,
    Newest,
    Unused,
    Older,
    Deprecated,
    Owners,
    Finished,
    Version,
    Healthy,
    Checkpoints,
    Alarms,
    Metric,
    Protected,
    Matching,
    Risk,
    Under,
    To,
    Host,
    Database,
    Ids,
    Tier,
    Like,
    Made,
    Template,
    Subnet,
    Memory,
    Variables,
    Hidden,
    Without,
    Downgrade,
    ApiKey,
    Doors,
    Domain,
    App,
    Tenant,
    Set,
    Secrets,
    Unset,
    Saas,
    NewKey,
    Generate,
    Keep,
    Traffic,
    Then,
    Replace,
    Standalone,
    Containers,
    OnTimeout,
    Patience,
    Unavailable,
    Budget,
    Tag,
    Reason,
}

impl Name {
    /// What stands before it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Desired => "desired",
            Self::Min => "min",
            Self::Max => "max",
            Self::Processes => "processes",
            Self::Image => "image",
            Self::Canary => "canary",
            Self::Watch => "watch",
            Self::Default => "$Default",
            Self::Share => "% on demand",
            Self::Base => "base",
            Self::Strategy => "spot strategy",
            Self::Types => "types",
            Self::Ended => "ended first",
            Self::Warmup => "warm-up",
            Self::Rebalancing => "rebalancing",
            Self::Maintenance => "maintenance",
            Self::Replacing => "members",
            Self::Newest => "newest",
            Self::Unused => "images",
            Self::Older => "older image",
            Self::Deprecated => "deprecated image",
            Self::Owners => "other owners",
            Self::Finished => "finished groups",
            Self::Version => "version",
            Self::Healthy => "healthy",
            Self::Checkpoints => "checkpoints",
            Self::Alarms => "alarms",
            Self::Metric => "figures",
            Self::Protected => "protected",
            Self::Matching => "skip matching",
            Self::Risk => "risks",
            Self::Under => "refresh under way",
            Self::To => "to",
            Self::Host => "host",
            Self::Database => "database",
            Self::Ids => "ids",
            Self::Tier => "tier",
            Self::Like => "like",
            Self::Made => "image",
            Self::Template => "template",
            Self::Subnet => "subnet",
            Self::Memory => "MiB each",
            Self::Variables => "settings",
            Self::Hidden => "by name",
            Self::Without => "without",
            Self::Downgrade => "older version",
            Self::ApiKey => "API keys",
            Self::Doors => "target groups",
            Self::Domain => "domain",
            Self::App => "app",
            Self::Tenant => "tenant",
            Self::Set => "set",
            Self::Secrets => "secrets",
            Self::Unset => "unset",
            Self::Saas => "core's secret",
            Self::NewKey => "new key",
            Self::Generate => "generate",
            Self::Keep => "stays",
            Self::Traffic => "traffic",
            Self::Then => "then",
            Self::Replace => "replace",
            Self::Standalone => "standalone tasks",
            Self::Containers => "other containers",
            Self::OnTimeout => "on time-out",
            Self::Patience => "patience",
            Self::Unavailable => "max unavailable",
            Self::Budget => "budget",
            Self::Tag => "do-not-disrupt",
            Self::Reason => "reason",
        }
    }

    /// The flag of a script that says the same by another name, as refusals name it.
    pub(crate) fn flag(self) -> Option<&'static str> {
        match self {
            Self::Desired => Some("--desired"),
            Self::Min => Some("--min"),
            Self::Max => Some("--max"),
            Self::Processes => Some("--process"),
            Self::Canary => Some("--canary"),
            Self::Watch => Some("--watch"),
            Self::Default => Some("--move-default"),
            Self::Strategy => Some("--strategy"),
            Self::Types => Some("--types"),
            Self::Warmup => Some("--warmup"),
            Self::Rebalancing => Some("--rebalance"),
            Self::Maintenance => Some("--maintenance"),
            Self::Replacing => Some("--refresh"),
            Self::Newest => Some("--newest"),
            Self::Unused => Some("--images"),
            Self::Version => Some("--to-version"),
            Self::Checkpoints => Some("--checkpoints"),
            Self::Alarms => Some("--alarm"),
            Self::Metric => Some("--metric"),
            Self::Protected => Some("--protected"),
            Self::Owners => Some("--allow-owner"),
            Self::Host => Some("--host"),
            Self::Database => Some("--database"),
            Self::Tier => Some("--tier"),
            Self::Like => Some("--like"),
            Self::Template => Some("--template"),
            Self::Subnet => Some("--subnet"),
            Self::Memory => Some("--memory"),
            Self::Variables => Some("--setting"),
            Self::Without => Some("--without"),
            Self::ApiKey => Some("--api-key"),
            Self::Doors => Some("--target-group"),
            Self::Domain => Some("--domain"),
            Self::App => Some("--app"),
            Self::Tenant => Some("--tenant"),
            Self::Unset => Some("--unset"),
            Self::Saas => Some("--key-parameter"),
            Self::NewKey => Some("--new"),
            Self::Generate => Some("--generate"),
            Self::Keep => Some("--keep"),
            Self::Then => Some("--then"),
            Self::Replace => Some("--replace"),
            Self::Patience => Some("--patience"),
            Self::Risk => Some("--override-verdict"),
            Self::Matching => Some("--skip-matching"),
            Self::Under => Some("--adopt"),
            Self::Healthy => Some("--min-healthy"),
            Self::Standalone => Some("--include-standalone"),
            Self::Containers => Some("--stop-containers"),
            Self::Unavailable => Some("--max-unavailable"),
            Self::Budget => Some("--override-budget"),
            Self::Tag => Some("--ignore-do-not-disrupt"),
            Self::Older => Some("--allow-older"),
            Self::Deprecated => Some("--allow-deprecated"),
            Self::Image | Self::Made => Some("--image"),
            Self::Secrets | Self::Hidden => Some("--secret"),
            _ => None,
        }
    }

    /// Whether nothing can be planned before it says something, so that it has the keys first.
    pub(crate) fn must_be_filled(self) -> bool {
        matches!(
            self,
            Self::Desired
                | Self::Processes
                | Self::Share
                | Self::Ended
                | Self::To
                | Self::Ids
                | Self::Set
                | Self::NewKey
                | Self::Keep
        )
    }

    /// What it means, for the line below.
    pub(crate) fn doc(self) -> &'static str {
        match self {
            Self::Desired => "how many instances or tasks there should be",
            Self::Min => "fewest instances; empty leaves it as it is (groups only)",
            Self::Max => "most instances; empty leaves it as it is (groups only)",
            Self::Processes => {
                "Launch, Terminate, HealthCheck, InstanceRefresh, ReplaceUnhealthy, AZRebalance, …"
            }
            Self::Image => {
                "ami-…, al2023, a parameter, OWNER:NAME*; empty is the newest of what each group launches"
            }
            Self::Canary => "percent of each group that are tried first; empty is 5, one instance at least",
            Self::Watch => "how long these are watched before the rest follows: 10m",
            Self::Default => "what $Default of the templates means when everything has succeeded",
            Self::Share => "percent on demand above the base: 50, 20, 0; empty leaves it",
            Self::Base => "on-demand instances that always come first; empty leaves it",
            Self::Strategy => "how AWS chooses spot pools",
            Self::Types => "in order of preference: m5.large m5.xlarge=2; empty leaves them",
            Self::Ended => "termination policies in order: OldestLaunchTemplate Default; empty leaves them",
            Self::Warmup => "how long a new member does not count: 120s; none; empty leaves it",
            Self::Rebalancing => "whether spot instances at risk are replaced before they are taken",
            Self::Replacing => "when members become what the new share says",
            Self::Newest => "so many of the newest versions stay, whatever uses them: 3",
            Self::Unused => "images that only deleted versions launch: gone for good, with their snapshots",
            Self::Maintenance => "percent of the desired capacity, 90-110; none; empty leaves it",
            Self::Older => "an image that was made before what it replaces",
            Self::Deprecated => "an image that its maker calls deprecated",
            Self::Owners => "accounts whose images are trusted besides, with commas between",
            Self::Finished => "what becomes of groups that are done when a later one fails",
            Self::Version => {
                "of the launch template: a number, latest or default; empty is what the group has"
            }
            Self::Healthy => {
                "percent in service, from-to: 100-110 launches first; empty is the tier's preset"
            }
            Self::Checkpoints => "percentages at which it waits: 10,50,100; none; empty is the tier's preset",
            Self::Alarms => "alarms that fail it, with commas between",
            Self::Metric => {
                "what CloudWatch must say, `;` between: AWS/ApplicationELB RequestCount >= 1; none; empty: the tier's"
            }
            Self::Protected => "what becomes of members that are protected from scale-in",
            Self::Matching => "whether members stay that are what the version says already",
            Self::Risk => "whether it goes on although it may hurt",
            Self::Under => "whether a refresh that somebody else started is taken over and followed",
            Self::To => "the version, a tag of the image that each core has, or a whole image: 11.0.5",
            Self::Host => {
                "by id or name, or `new`; empty is the one that fits best, or a new one where none has room"
            }
            Self::Ids => "what the new cores are called, with blanks between",
            Self::Tier => "their tier: development, production",
            Self::Like => {
                "a core that they are replicas of; where ECS keeps it, its service gets a task more for each"
            }
            Self::Made => "their image with its tag; empty is the one that most cores of the tier have",
            Self::Template => "the launch template of a new host, NAME or NAME:VERSION; empty is the tier's",
            Self::Subnet => "the subnet of a new host; empty is the one with fewest hosts of the tier",
            Self::Memory => "MiB that each may use; empty is its share of the host",
            Self::Variables => {
                "NAME=VALUE: variables of the new container, with blanks between; a secret is never typed"
            }
            Self::Hidden => "NAME=PARAMETER: variables by the SecureStrings that they lie in; never shown",
            Self::Without => {
                "variables of the old container, or mounts, network, ports, … that it does without"
            }
            Self::Downgrade => "a version that is older than the one whose schema its database has",
            Self::ApiKey => {
                "the SecureString with the API keys, {core} for the id; empty is /coredeck/FLEET/secrets/CORE/api-key"
            }
            Self::Doors => "target groups that they are put into, by name, with blanks between",
            Self::Domain => "the connection URI domain; empty is the tenant's, or the core's own",
            Self::App => "the app; empty is `public`",
            Self::Tenant => "the tenant; empty is `public`",
            Self::Set => "NAME=VALUE, with blanks between; \"…\" is always a text; a secret is never typed",
            Self::Secrets => "NAME=PARAMETER: set to what lies in a SecureString; it is never shown",
            Self::Unset => "names of settings to be taken away, so that what stands above holds",
            Self::Saas => "the SecureString with the core's own secret, which protected settings take",
            Self::NewKey => "the SecureString in which the new key lies; it is never typed or shown",
            Self::Generate => {
                "or: a random key is made and put into this SecureString, which is not there yet"
            }
            Self::Keep => "the SecureString with the key that stays valid",
            Self::Database => {
                "the SecureString with the database's address, {core} for the id; empty is that of the entry"
            }
            Self::Traffic => {
                "whether it is led away first: where another target is healthy, always, or never"
            }
            Self::Then => "what becomes of an instance that is empty",
            Self::Replace => "whether its group launches another instance for one that leaves",
            Self::Standalone => "tasks that no service keeps: a stopped one is gone for good",
            Self::Containers => "containers that ECS does not know, stopped through Systems Manager",
            Self::OnTimeout => "what happens to a target that takes too long",
            Self::Patience => {
                "how long a target may take: 30m, 2h; empty: 30m for hosts, 1h for a deployment"
            }
            Self::Unavailable => "so many of a tier at once; empty: what the configuration says",
            Self::Budget => "how many of a tier may be unavailable at once",
            Self::Tag => "what the tag coredeck:do-not-disrupt forbids",
            Self::Reason => "why: kept in the journal",
        }
    }
}
