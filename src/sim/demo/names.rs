//! Names of invented customers.

/// Customers with a production core of their own.
pub(super) const CUSTOMERS: [&str; 36] = [
    "lumenary",
    "ferncart",
    "tidepool",
    "papertrail",
    "bluebarn",
    "kitewire",
    "mossgate",
    "copperleaf",
    "rainfield",
    "sundial",
    "harborlist",
    "slatepay",
    "thistle",
    "juniper-health",
    "orbitly",
    "pinecrest",
    "redwharf",
    "saffron",
    "marlow",
    "windrow",
    "ashgrove",
    "bellwether",
    "cobalt-games",
    "driftlab",
    "emberline",
    "foxglove",
    "greyhound",
    "hollis",
    "inkwell",
    "jetstream",
    "kelpworks",
    "limehouse",
    "meadowlark",
    "nimbus-crm",
    "oxbow",
    "palisade",
];

const FIRST: [&str; 24] = [
    "amber", "birch", "cedar", "dune", "echo", "flint", "grove", "hazel", "iris", "jade", "kestrel",
    "linden", "maple", "north", "opal", "pebble", "quartz", "river", "sable", "tulip", "umber", "violet",
    "willow", "zephyr",
];

const SECOND: [&str; 12] =
    ["works", "labs", "cart", "desk", "notes", "pay", "play", "health", "books", "fleet", "studio", "mail"];

/// The invented name of that number; the same number always has the same name, and no two are alike.
pub(super) fn company(number: usize) -> String {
    let first = FIRST.get(number % FIRST.len()).copied().unwrap_or_default();
    let second = SECOND.get(number / FIRST.len() % SECOND.len()).copied().unwrap_or_default();
    match number / (FIRST.len() * SECOND.len()) {
        0 => format!("{first}-{second}"),
        round => format!("{first}-{second}-{}", round + 1),
    }
}
