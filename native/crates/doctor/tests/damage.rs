//! Tests damaged programs: each gives an answer or an error, never a panic.

use doctor::{ExamineRequest, examine};
use testkit::Fixture;

/// Generates numbers that look random and are the same in every run (Knuth, TAOCP volume 2, 3.3.4).
fn numbers(mut state: u64) -> impl Iterator<Item = usize> {
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    })
}

#[test]
fn damaged_programs_are_survived() {
    let folder = tempfile::tempdir().unwrap();
    let mut examined = 0;
    for name in [
        "calc-x86_64",
        "calc-zstd",
        "calc-split-dwp",
        "calc-probe",
        "calc-debuglink",
    ] {
        let program = Fixture::named(name).program();
        let whole = std::fs::read(&program).unwrap();
        let path = folder.path().join(name);
        let request = ExamineRequest {
            path: path.clone(),
            debug_binary: None,
            debuginfod_cache: None,
            dwp: Some(program.with_extension("dwp")).filter(|dwp| dwp.exists()),
        };
        let mut numbers = numbers(whole.len() as u64);
        for round in 0..60 {
            let mut bytes = whole.clone();
            if round % 3 == 0 {
                bytes.truncate(numbers.next().unwrap() % whole.len());
            }
            for _ in 0..round % 7 * 5 {
                if bytes.is_empty() {
                    break;
                }
                let at = numbers.next().unwrap() % bytes.len();
                bytes[at] = (numbers.next().unwrap() & 0xff) as u8;
            }
            std::fs::write(&path, &bytes).unwrap();
            examined += usize::from(examine(&request).is_ok());
        }
    }
    // Most of the damage hits neither headers nor tables.
    assert!(examined > 50, "{examined} of 300 programs could be examined");
}
