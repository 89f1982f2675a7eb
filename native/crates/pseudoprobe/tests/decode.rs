//! Tests decoding of `.pseudo_probe` sections. The encoder in this file shares no code with the decoder.

use elf::Svma;
use proptest::prelude::*;
use pseudoprobe::{Guid, MAX_INLINE_DEPTH, ProbeKind, ProbeTable, Problem, Selection, UnknownStart};
use rustc_hash::{FxHashMap, FxHashSet};

/// A function or an inlined copy of a function, before encoding.
#[derive(Debug, Clone)]
struct Function {
    guid: u64,
    /// Index of the call's probe; only inlined copies have a call site.
    call_site: u32,
    probes: Vec<Marker>,
    inlinees: Vec<Function>,
}

#[derive(Debug, Clone)]
struct Marker {
    address: u64,
    index: u32,
    kind: u8,
    discriminator: u32,
}

fn marker(address: u64, index: u32, kind: u8) -> Marker {
    Marker {
        address,
        index,
        kind,
        discriminator: 0,
    }
}

fn function(guid: u64, probes: Vec<Marker>) -> Function {
    Function {
        guid,
        call_site: 0,
        probes,
        inlinees: Vec::new(),
    }
}

fn inlined(call_site: u32, mut function: Function) -> Function {
    function.call_site = call_site;
    function
}

#[derive(Default)]
struct Encoder {
    out: Vec<u8>,
    previous: u64,
}

impl Encoder {
    fn uleb(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn sleb(&mut self, mut value: i64) {
        while !(-64..64).contains(&value) {
            self.out.push(value as u8 & 0x7f | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8 & 0x7f);
    }

    /// Encodes a whole function that starts at `start`. A part of a split function is named by the GUID of its
    /// symbol.
    fn top_level(&mut self, function: &Function, start: u64, part: Option<u64>) {
        self.previous = start;
        self.body(function, part);
    }

    fn body(&mut self, function: &Function, part: Option<u64>) {
        self.out.extend(function.guid.to_le_bytes());
        self.uleb(function.probes.len() as u64 + u64::from(part.is_some()));
        self.uleb(function.inlinees.len() as u64);
        if let Some(part) = part {
            self.out.extend([0, 0x20]);
            self.out.extend(part.to_le_bytes());
        }
        for probe in &function.probes {
            self.uleb(probe.index.into());
            let attributes = if probe.discriminator > 0 { 4 } else { 0 };
            self.out.push(0x80 | attributes << 4 | probe.kind);
            self.sleb(probe.address.wrapping_sub(self.previous).cast_signed());
            self.previous = probe.address;
            if probe.discriminator > 0 {
                self.uleb(probe.discriminator.into());
            }
        }
        for inlinee in &function.inlinees {
            self.uleb(inlinee.call_site.into());
            self.body(inlinee, None);
        }
    }
}

/// A probe that the decoder must find: address, index, kind, discriminator, own GUID, callers from the innermost
/// outwards.
type Found = (u64, u32, ProbeKind, u32, u64, Vec<(u64, u32)>);

fn flatten(function: &Function, callers: &[(u64, u32)], out: &mut Vec<Found>) {
    let kinds = [ProbeKind::Block, ProbeKind::IndirectCall, ProbeKind::DirectCall];
    for probe in &function.probes {
        out.push((
            probe.address,
            probe.index,
            kinds[usize::from(probe.kind)],
            probe.discriminator,
            function.guid,
            callers.to_vec(),
        ));
    }
    for inlinee in &function.inlinees {
        let mut chain = vec![(function.guid, inlinee.call_site)];
        chain.extend(callers);
        flatten(inlinee, &chain, out);
    }
}

fn found(table: &ProbeTable) -> Vec<Found> {
    let probes = table.probes().iter();
    probes
        .map(|probe| {
            let callers = table.callers(probe.node).map(|(guid, site)| (guid.0, site)).collect();
            let own = table.node(probe.node).guid.0;
            (
                probe.address.0,
                probe.index,
                probe.kind,
                probe.discriminator,
                own,
                callers,
            )
        })
        .collect()
}

fn starts(pairs: &[(u64, u64)]) -> FxHashMap<Guid, Svma> {
    pairs.iter().map(|&(guid, start)| (Guid(guid), Svma(start))).collect()
}

fn decode(section: &[u8], starts: &FxHashMap<Guid, Svma>, unknown_start: UnknownStart) -> ProbeTable {
    let selection = Selection {
        starts,
        functions: None,
        unknown_start,
    };
    ProbeTable::decode([section], &selection).expect("well formed")
}

#[test]
fn probes_are_found_by_address_with_their_inline_stack() {
    let mut main = function(1, vec![marker(0x1000, 1, 0), marker(0x1010, 2, 2)]);
    let mut middle = function(2, vec![marker(0x1008, 1, 0)]);
    middle.inlinees = vec![inlined(
        7,
        function(3, vec![marker(0x1008, 1, 0), marker(0x1004, 4, 1)]),
    )];
    main.inlinees = vec![inlined(3, middle)];
    let mut encoder = Encoder::default();
    encoder.top_level(&main, 0x1000, None);
    let table = decode(&encoder.out, &starts(&[(1, 0x1000)]), UnknownStart::Skip);

    assert_eq!(table.at(Svma(0x1008)).len(), 2);
    assert_eq!(table.at(Svma(0x1009)), []);
    assert_eq!(table.within(Svma(0x1001)..Svma(0x1010)).len(), 3);
    let call = table.call_at(Svma(0x1004)).expect("an indirect call");
    assert_eq!(call.index, 4);
    let callers: Vec<_> = table.callers(call.node).collect();
    assert_eq!(callers, [(Guid(2), 7), (Guid(1), 3)]);
    assert_eq!(table.top_level(call.node), Guid(1));
    assert_eq!(table.call_at(Svma(0x1008)), None);
}

#[test]
fn a_part_of_a_split_function_starts_at_its_own_symbol() {
    let hot = function(1, vec![marker(0x1000, 1, 0)]);
    let cold = function(1, vec![marker(0x9004, 2, 0)]);
    let mut encoder = Encoder::default();
    encoder.top_level(&hot, 0x1000, None);
    encoder.top_level(&cold, 0x9000, Some(100));
    let starts = starts(&[(1, 0x1000), (100, 0x9000)]);
    let addresses = |kind| -> Vec<u64> {
        let table = decode(&encoder.out, &starts, kind);
        table.probes().iter().map(|probe| probe.address.0).collect()
    };
    assert_eq!(addresses(UnknownStart::Skip), [0x1000, 0x9004]);
    assert_eq!(addresses(UnknownStart::FollowPrevious), [0x1000, 0x9004]);
}

#[test]
fn without_a_symbol_probes_are_nowhere_or_behind_the_previous_ones() {
    let mut encoder = Encoder::default();
    encoder.top_level(&function(1, vec![marker(0x1020, 1, 0)]), 0x1000, None);
    encoder.top_level(
        &function(2, vec![marker(0x5008, 1, 0), marker(0x5010, 2, 0)]),
        0x5000,
        None,
    );
    let starts = starts(&[(1, 0x1000)]);

    let skipped = decode(&encoder.out, &starts, UnknownStart::Skip);
    assert_eq!(
        (skipped.probes().len(), skipped.unplaced().values().sum::<u64>()),
        (1, 2)
    );
    let followed = decode(&encoder.out, &starts, UnknownStart::FollowPrevious);
    let addresses: Vec<u64> = followed.probes().iter().map(|probe| probe.address.0).collect();
    assert_eq!(addresses, [0x1020, 0x1028, 0x1030]);
}

/// Before LLVM 16, the first probe of a text section has an address, and all others count from this address.
#[test]
fn absolute_addresses_need_no_starts() {
    let mut bytes = 1u64.to_le_bytes().to_vec();
    bytes.extend([1, 0, 1, 0x00]);
    bytes.extend(0x1000u64.to_le_bytes());
    bytes.extend(2u64.to_le_bytes());
    bytes.extend([1, 0, 5, 0x80, 0x10]);
    let wrong = starts(&[(1, 0x7000), (2, 0x8000)]);
    for kind in [UnknownStart::Skip, UnknownStart::FollowPrevious] {
        let table = decode(&bytes, &wrong, kind);
        let addresses: Vec<u64> = table.probes().iter().map(|probe| probe.address.0).collect();
        assert_eq!(addresses, [0x1000, 0x1010]);
    }
}

#[test]
fn only_wanted_functions_are_kept() {
    let mut encoder = Encoder::default();
    let mut first = function(1, vec![marker(0x1000, 1, 0)]);
    first.inlinees = vec![inlined(2, function(2, vec![marker(0x1001, 1, 0)]))];
    encoder.top_level(&first, 0x1000, None);
    encoder.top_level(&function(2, vec![marker(0x2000, 1, 0)]), 0x2000, None);
    let starts = starts(&[(1, 0x1000), (2, 0x2000)]);
    for (wanted, expected) in [(1, vec![0x1000, 0x1001]), (2, vec![0x2000]), (3, vec![])] {
        let functions = FxHashSet::from_iter([Guid(wanted)]);
        let selection = Selection {
            starts: &starts,
            functions: Some(&functions),
            unknown_start: UnknownStart::Skip,
        };
        let table = ProbeTable::decode([&encoder.out[..]], &selection).expect("well formed");
        let addresses: Vec<u64> = table.probes().iter().map(|probe| probe.address.0).collect();
        assert_eq!(addresses, expected, "{wanted}");
    }
}

#[test]
fn endless_nesting_is_refused() {
    // Each function has no probe and one inlined function.
    let mut bytes = Vec::new();
    for guid in 0..2 * MAX_INLINE_DEPTH as u64 {
        bytes.extend(guid.to_le_bytes());
        bytes.extend([0, 1, 1]);
    }
    let none = FxHashMap::default();
    let selection = Selection {
        starts: &none,
        functions: None,
        unknown_start: UnknownStart::Skip,
    };
    let error = ProbeTable::decode([&bytes[..]], &selection).expect_err("too deep");
    assert_eq!(error.problem, Problem::TooDeep);
    let error = ProbeTable::decode([&bytes[..11 * 20]], &selection).expect_err("cut");
    assert_eq!((error.problem, error.offset), (Problem::Truncated, 220));
}

/// Generates a tree of functions with probes at random places.
fn any_function() -> impl Strategy<Value = Function> {
    let any_marker = (
        0u64..0x4000,
        1u32..0x1_0000,
        0u8..3,
        prop_oneof![Just(0u32), any::<u32>()],
    );
    let any_markers = prop::collection::vec(any_marker, 0..5).prop_map(|markers| {
        let each = markers.into_iter();
        each.map(|(address, index, kind, discriminator)| Marker {
            address,
            index,
            kind,
            discriminator,
        })
        .collect()
    });
    let leaf = (1u64..6, 0u32..4, any_markers.clone()).prop_map(|(guid, call_site, probes)| Function {
        guid,
        call_site,
        probes,
        inlinees: Vec::new(),
    });
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let inlinees = prop::collection::vec(inner, 0..4);
        (1u64..6, 0u32..4, any_markers.clone(), inlinees).prop_map(|(guid, call_site, probes, inlinees)| Function {
            guid,
            call_site,
            probes,
            inlinees,
        })
    })
}

proptest! {
    /// Compares with the tree itself, walked by recursion and sorted.
    #[test]
    fn encoded_probes_are_decoded(
        functions in prop::collection::vec((any_function(), any::<bool>()), 0..6),
        wanted in prop::collection::hash_set(1u64..6, 0..6),
    ) {
        let mut encoder = Encoder::default();
        let mut expected = Vec::new();
        for (function, is_part) in &functions {
            let (start, part) = if *is_part { (0x9000, Some(77)) } else { (function.guid << 12, None) };
            encoder.top_level(function, start, part);
            if wanted.contains(&function.guid) {
                flatten(function, &[], &mut expected);
            }
        }
        expected.sort_by_key(|probe| probe.0);
        let mut pairs: Vec<(u64, u64)> = (1..6).map(|guid| (guid, guid << 12)).collect();
        pairs.push((77, 0x9000));
        let starts = starts(&pairs);
        let wanted: FxHashSet<Guid> = wanted.into_iter().map(Guid).collect();
        for unknown_start in [UnknownStart::Skip, UnknownStart::FollowPrevious] {
            let selection = Selection { starts: &starts, functions: Some(&wanted), unknown_start };
            let table = ProbeTable::decode([&encoder.out[..]], &selection).expect("well formed");
            prop_assert_eq!(found(&table), expected.clone());
        }
    }

    #[test]
    fn any_bytes_decode_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..300), skip: bool) {
        let starts = starts(&[(0, 16)]);
        let unknown_start = if skip { UnknownStart::Skip } else { UnknownStart::FollowPrevious };
        let selection = Selection { starts: &starts, functions: None, unknown_start };
        if let Ok(table) = ProbeTable::decode([&bytes[..]], &selection) {
            // A probe takes at least three bytes, a function at least ten.
            prop_assert!(3 * table.probes().len() + 10 * table.node_count() <= bytes.len());
        }
    }
}
