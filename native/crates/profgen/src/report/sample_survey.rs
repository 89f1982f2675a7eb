//! Surveys the samples of a binary: the compilers of the units that they lie in, and functions that share an
//! entry of the profile.

use rustc_hash::FxHashMap;
use symbolize::{DebugSurvey, FunctionId, UnitIndex};

use crate::attribution::profile::Binary;
use crate::counting::counters::Counters;

/// Most names that are reported. A kernel has hundreds.
const MAX_SHARED_NAMES: usize = 8;

/// Survey of the samples of a binary. A sample here is one execution of a straight-line range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSurvey {
    /// Number of samples that lie in functions.
    pub samples: u64,
    /// Survey of the compilers and flags of units, in samples instead of units.
    pub units: DebugSurvey,
    /// Number of functions with code in the debug information.
    pub functions: u64,
    /// Number of these functions that have samples.
    pub sampled_functions: u64,
    /// Names that functions of several units have, so that they share one entry of the profile. Names with
    /// most samples come first.
    pub shared: Vec<SharedName>,
    /// Number of samples in all functions that share an entry.
    pub shared_samples: u64,
}

/// A name that functions of several units have. These are static functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedName {
    /// The name of the functions.
    pub name: String,
    /// Number of units in which a function of the name has samples.
    pub units: u64,
    /// Number of samples of all these functions.
    pub samples: u64,
}

impl SampleSurvey {
    pub(crate) fn of(binary: &Binary<'_>, counters: &Counters) -> Self {
        let functions = binary.functions;
        let mut survey = Self {
            samples: 0,
            units: DebugSurvey::default(),
            functions: 0,
            sampled_functions: 0,
            shared: Vec::new(),
            shared_samples: 0,
        };
        let mut samples = Vec::new();
        let mut by_function: FxHashMap<FunctionId, FxHashMap<UnitIndex, u64>> = FxHashMap::default();
        for range in counters.ranges.rows() {
            let Some(found) = functions.find(range.first) else {
                continue;
            };
            survey.samples = survey.samples.saturating_add(range.count);
            samples.push((range.first, range.count));
            let units = by_function.entry(found.function).or_default();
            if let Some(unit) = binary.debug.unit_at(range.first) {
                let sum = units.entry(unit).or_default();
                *sum = sum.saturating_add(range.count);
            }
        }
        survey.units = binary.debug.survey_of_samples(&samples);
        let with_code = functions
            .functions()
            .filter(|&function| !functions.ranges_of(function).is_empty());
        survey.functions = with_code.count() as u64;
        survey.sampled_functions = by_function.len() as u64;
        let shared = by_function.into_iter().filter(|(_, units)| units.len() > 1);
        survey.shared = shared
            .map(|(function, units)| SharedName {
                name: String::from_utf8_lossy(functions.name(function)).into_owned(),
                units: units.len() as u64,
                samples: units.values().fold(0, |sum, count| sum.saturating_add(*count)),
            })
            .collect();
        survey.shared_samples = survey
            .shared
            .iter()
            .fold(0, |sum, name| sum.saturating_add(name.samples));
        survey
            .shared
            .sort_by(|a, b| b.samples.cmp(&a.samples).then_with(|| a.name.cmp(&b.name)));
        survey.shared.truncate(MAX_SHARED_NAMES);
        survey
    }
}
