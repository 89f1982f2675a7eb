//! DWARF discriminators: the part that tells lines of code apart, and the duplication factor.
//!
//! LLVM packs three components into a discriminator (base, duplication factor, copy id), each in a prefix
//! code of 1, 7 or 14 bits (LLVM: `DILocation::encodeDiscriminator`). Flow-sensitive binaries use all 32 bits
//! without components.

/// The encoding of the discriminators of a binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscriminatorKind {
    /// Base, duplication factor and copy id, prefix encoded.
    Packed,
    /// Flow-sensitive (`__llvm_fs_discriminator__`): all bits count, and there is no duplication factor.
    FlowSensitive,
}

impl DiscriminatorKind {
    /// Returns the component that belongs in a `LineLocation`.
    #[must_use]
    pub fn base(self, raw: u32) -> u32 {
        match self {
            Self::FlowSensitive => raw,
            Self::Packed if is_pseudo_probe(raw) => pseudo_probe_base(raw),
            Self::Packed => prefix_decode(raw),
        }
    }

    /// Returns the number of copies that the optimizer made of the line, at least 1. Counts are multiplied by
    /// it.
    #[must_use]
    pub fn duplication_factor(self, raw: u32) -> u32 {
        match self {
            Self::FlowSensitive => 1,
            Self::Packed => prefix_decode(skip_component(raw)).max(1),
        }
    }
}

/// Returns true if the discriminator holds a call's pseudo probe: the low three bits are set, and some bit
/// above them is set.
fn is_pseudo_probe(raw: u32) -> bool {
    raw & 7 == 7 && raw >> 3 != 0
}

fn pseudo_probe_base(raw: u32) -> u32 {
    const HAS_DWARF_BASE: u32 = 1 << 28;
    if raw & HAS_DWARF_BASE != 0 {
        (raw >> 16) & 7
    } else {
        (raw >> 3) & 0xffff
    }
}

/// Returns the value of the first component.
fn prefix_decode(encoded: u32) -> u32 {
    if encoded & 1 != 0 {
        return 0;
    }
    let bits = encoded >> 1;
    if bits & 0x20 != 0 {
        ((bits >> 1) & 0xfe0) | (bits & 0x1f)
    } else {
        bits & 0x1f
    }
}

/// Returns the bits after the first component.
fn skip_component(encoded: u32) -> u32 {
    if encoded & 1 != 0 {
        encoded >> 1
    } else if encoded & 0x40 != 0 {
        encoded >> 14
    } else {
        encoded >> 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inverse of `prefix_decode`, written from the description of the code.
    fn prefix_encode(value: u32) -> (u32, u32) {
        match value {
            0 => (1, 1),
            1..=0x1f => (value << 1, 7),
            _ => (((value & 0xfe0) << 2) | ((value & 0x1f) << 1) | 0x40, 14),
        }
    }

    #[test]
    fn components_survive_a_round_trip() {
        for base in [0, 1, 5, 31, 32, 100, 0xfff] {
            for factor in [0, 1, 4, 31, 63, 0xfff] {
                let (low, width) = prefix_encode(base);
                let raw = low | (prefix_encode(factor).0 << width);
                if is_pseudo_probe(raw) {
                    continue;
                }
                assert_eq!(DiscriminatorKind::Packed.base(raw), base, "base {base} factor {factor}");
                assert_eq!(DiscriminatorKind::Packed.duplication_factor(raw), factor.max(1));
            }
        }
    }

    #[test]
    fn a_plain_zero_means_no_discriminator() {
        assert_eq!(DiscriminatorKind::Packed.base(0), 0);
        assert_eq!(DiscriminatorKind::Packed.duplication_factor(0), 1);
    }

    #[test]
    fn pseudo_probe_discriminators_give_the_probe_or_the_dwarf_base() {
        let probe = (0x1234 << 3) | 7;
        assert_eq!(DiscriminatorKind::Packed.base(probe), 0x1234);
        assert_eq!(DiscriminatorKind::Packed.base(probe | 1 << 28), ((probe >> 16) & 7));
    }

    #[test]
    fn flow_sensitive_discriminators_are_used_unchanged() {
        assert_eq!(DiscriminatorKind::FlowSensitive.base(0xffff_fffe), 0xffff_fffe);
        assert_eq!(DiscriminatorKind::FlowSensitive.duplication_factor(0xffff_fffe), 1);
    }
}
