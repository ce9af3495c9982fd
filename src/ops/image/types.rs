//! What the name of an instance type tells of its machine: its processors, and the hypervisor under it.

/// Families on the older hypervisor: they start by BIOS alone, and need no driver for newer network cards.
const XEN: [&str; 28] = [
    "t1", "t2", "m1", "m2", "m3", "m4", "c1", "c3", "c4", "r3", "r4", "i2", "i3", "d2", "h1", "x1", "x1e",
    "p2", "p3", "g2", "g3", "g3s", "f1", "cc2", "cr1", "hs1", "cg1", "hi1",
];

/// The part of a type's name before the dot.
fn family(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// `arm64` or `x86_64`: AWS's own arm processors have a `g` after the number of their generation.
pub(super) fn architecture(name: &str) -> &'static str {
    let family = family(name);
    let after = family.find(|c: char| c.is_ascii_digit()).and_then(|at| family.get(at..)).unwrap_or_default();
    let attributes = after.trim_start_matches(|c: char| c.is_ascii_digit());
    if family == "a1" || attributes.split('-').next().is_some_and(|letters| letters.contains('g')) {
        "arm64"
    } else {
        "x86_64"
    }
}

/// Whether it runs on the newer hypervisor. `i3.metal` and others of old families that have no hypervisor do too.
pub(super) fn is_nitro(name: &str) -> bool {
    !XEN.contains(&family(name)) || name.ends_with(".metal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_types_name_tells_its_processors() {
        for arm in [
            "t4g.small",
            "m7g.large",
            "c6gn.xlarge",
            "r7gd.16xlarge",
            "x2gd.medium",
            "a1.large",
            "im4gn.large",
            "is4gen.large",
            "g5g.xlarge",
            "c8g-flex.large",
        ] {
            assert_eq!(architecture(arm), "arm64", "{arm}");
        }
        for x86 in [
            "t3.small",
            "t3a.small",
            "m5.large",
            "g4dn.xlarge",
            "g5.xlarge",
            "m7i-flex.large",
            "c6in.large",
            "p4d.24xlarge",
            "u-6tb1.metal",
            "inf2.xlarge",
        ] {
            assert_eq!(architecture(x86), "x86_64", "{x86}");
        }
        assert!(!is_nitro("t2.micro") && is_nitro("t3.micro") && is_nitro("i3.metal"));
    }
}
