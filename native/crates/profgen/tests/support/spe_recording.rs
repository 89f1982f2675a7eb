//! Makes recordings of Arm SPE.

use testkit::{EventSpec, MapSpec, PerfDataBuilder, SpeRecord};

/// Type of the event of Arm SPE.
pub const PMU: u32 = 9;

/// Returns the bytes of these words.
pub fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Makes a recording with one mapping, and with these records in the buffer of one CPU.
pub fn spe_recording(map: MapSpec, records: &[SpeRecord]) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec {
        event_type: PMU,
        ..EventSpec::plain("arm_spe_0/branch_filter=1/u")
    });
    builder.other(79, 0, &words(&[0, 1, 0, 0, 0, 1]));
    builder.other(70, 0, &words(&[4, PMU.into(), 1]));
    builder.mmap(map);
    let bytes: Vec<u8> = records.iter().flat_map(SpeRecord::encode).collect();
    builder.other(71, 0, &words(&[bytes.len() as u64, 0, 0, u64::from(u32::MAX) << 32, 0]));
    builder.record(bytes);
    builder.describe_events();
    builder
}
