//! Reads a text of `perf script`. The first byte chooses where the text is cut, which must not change the result.
#![no_main]

use autofdo_gen_fuzz::perf_script::{Event, events, with_line_ends_of_perf};
use libfuzzer_sys::fuzz_target;
use perfscript::{Dialect, MappingLine, Windows, blocks, mappings};

fuzz_target!(|bytes: &[u8]| {
    let Some((size, text)) = bytes.split_first() else {
        return;
    };
    for dialect in [Dialect::Address, Dialect::EventAndAddress, Dialect::Anything] {
        let Ok(mut windows) = Windows::open(text, dialect).expect("memory can be read") else {
            continue;
        };
        let kind = windows.kind();
        let mut window = perfscript::Window::default();
        let mut read = Vec::new();
        while windows.read(&mut window).expect("memory can be read") {
            read.extend_from_slice(&window.text);
        }
        let text = &with_line_ends_of_perf(text, dialect)[..];
        assert!(read == text, "a window loses text");
        let whole = events(text, kind, dialect);
        let cut = blocks(text, kind, usize::from(*size));
        let found: usize = cut
            .iter()
            .map(|block| mappings(text, block.clone(), kind, dialect).count())
            .sum();
        let parts: Vec<Event> = cut
            .into_iter()
            .flat_map(|block| events(&text[block], kind, dialect))
            .collect();
        assert_eq!(parts, whole);
        let told = whole
            .iter()
            .filter(|event| matches!(event, Event::Mapping(line) if MappingLine::read(line).is_some()));
        assert_eq!(found, told.count());
    }
});
