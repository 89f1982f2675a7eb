//! Tests of the checks before a profile is written: names that a text changes, and counts that are not the true ones.

use sampleprof::{
    BodyRecord, CallTarget, FunctionSamples, LineLocation, Profile, names_that_text_changes, overlap, read,
};

#[test]
fn names_that_text_changes_are_told_by_where_they_stand() {
    let changed = |name: &str, place: usize| {
        let mut profile = Profile::new();
        let [main, name] = ["main", name].map(|name| profile.names.intern(name.as_bytes()));
        let mut function = FunctionSamples::new(if place == 0 { name } else { main });
        match place {
            1 => function
                .inlinees
                .push((LineLocation::new(1, 0), FunctionSamples::new(name))),
            2 => function.body.push(BodyRecord {
                targets: vec![CallTarget { name, count: 1 }],
                ..BodyRecord::default()
            }),
            _ => {}
        }
        profile.functions.push(function);
        !names_that_text_changes(&profile).is_empty()
    };
    for (name, places) in [
        ("[]", [true, false, false]),
        ("[f]", [true, false, false]),
        ("#f", [true, false, false]),
        (" f", [true, false, true]),
        ("", [false, false, true]),
        (":f", [false, false, true]),
        ("1f", [false, true, false]),
        ("vtables f", [false, true, false]),
        ("f:1 g", [false, false, true]),
        ("f: g", [false, false, false]),
        ("f\ng", [true, true, true]),
        ("std::map<int, char>::at", [false, false, false]),
        ("!f", [false, false, false]),
    ] {
        assert_eq!([0, 1, 2].map(|place| changed(name, place)), places, "{name:?}");
    }
}

#[test]
fn counts_at_the_limit_are_found() {
    let found = |text: &str| read(text.as_bytes(), "x").unwrap().overflowed().len();
    let limit = u64::MAX;
    assert_eq!(found(&format!("f:{limit}:0\ng:0:{limit}\nh:1:1\n 1: 1\n")), 2);
    assert_eq!(found(&format!("f:1:1\n 1: g:1\n  2: 1 h:{limit}\n")), 1);
    assert_eq!(found(&format!("f:1:1\n 1: {}\n", limit - 1)), 0);
    let profile = read(format!("f:1:1\n 1: {limit}\n 2: {limit}\n").as_bytes(), "x").unwrap();
    assert_eq!(profile.total_count(), 2 * u128::from(limit));
}

#[test]
fn sums_beyond_64_bits_do_not_wrap_around() {
    let limit = u64::MAX;
    let base = read(
        format!("a:{limit}:1\n 1: {limit}\n 2: 5\nb:10:1\n 1: 10\n").as_bytes(),
        "x",
    )
    .unwrap();
    let test = read(b"a:5:1\n 1: 1\n 2: 3\nb:10:1\n 1: 10\n", "x").unwrap();
    let report = overlap(&base, &test).unwrap();
    assert_eq!(report.samples.base, u128::from(limit) + 15);
    assert!((0.0..=1.0).contains(&report.similarity), "{}", report.similarity);
    assert_eq!(overlap(&base, &base).unwrap().similarity, 1.0);
}
