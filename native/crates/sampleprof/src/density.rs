use crate::{FunctionSamples, Profile};

/// Number of samples per body record in the hot part of a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DensityReport {
    /// Samples per body record of the sparsest function that is needed to reach the cut-off; 0 for an empty profile.
    pub density: f64,
    /// The cut-off: the share of all samples that the hot part reaches, in parts per million.
    pub cutoff: u32,
}

/// Returns the density of the densest functions that together have `cutoff` millionths of all samples, as llvm-profgen
/// reports the density (`--show-density`).
#[must_use]
pub fn density(profile: &Profile, cutoff: u32) -> DensityReport {
    let mut functions: Vec<(f64, u64)> = profile.functions.iter().filter_map(function_density).collect();
    functions.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let total = functions
        .iter()
        .fold(0u64, |sum, function| sum.wrapping_add(function.1));
    // llvm-profgen computes this number in single precision, and its rounding decides which function is the last one.
    let wanted = total as f32 * cutoff as f32 / 1_000_000.0;
    let mut density = 0.0;
    let mut sum = 0u64;
    for (own_density, samples) in functions {
        if sum as f32 >= wanted {
            break;
        }
        sum = sum.wrapping_add(samples);
        density = own_density;
    }
    DensityReport { density, cutoff }
}

/// Returns the samples per body record, and the samples, of a function with all that is inlined into it.
fn function_density(function: &FunctionSamples) -> Option<(f64, u64)> {
    let mut samples = 0u64;
    let mut records = 0u64;
    function.walk(&mut |part| {
        samples = part
            .body
            .iter()
            .fold(samples, |sum, record| sum.wrapping_add(record.count));
        records += part.body.len() as u64;
    });
    (records > 0).then(|| (samples as f64 / records as f64, samples))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BodyRecord, LineLocation};

    fn profile_of(functions: &[&[u64]]) -> Profile {
        let mut profile = Profile::new();
        for (number, counts) in functions.iter().enumerate() {
            let mut function = FunctionSamples::new(profile.names.intern(format!("f{number}").as_bytes()));
            for (line, &count) in (0..).zip(*counts) {
                function.body.push(BodyRecord {
                    location: LineLocation::new(line, 0),
                    count,
                    targets: Vec::new(),
                });
            }
            profile.functions.push(function);
        }
        profile
    }

    #[test]
    fn the_last_function_needed_decides() {
        let profile = profile_of(&[&[900], &[90, 0], &[10], &[]]);
        assert_eq!(density(&profile, 900_000).density, 900.0);
        assert_eq!(density(&profile, 990_000).density, 45.0);
        assert_eq!(density(&profile, 1_000_000).density, 10.0);
    }

    #[test]
    fn an_empty_profile_has_no_density() {
        assert_eq!(density(&Profile::new(), 990_000).density, 0.0);
        assert_eq!(density(&profile_of(&[&[5]]), 0).density, 0.0);
    }
}
