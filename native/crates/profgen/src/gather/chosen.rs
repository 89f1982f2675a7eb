//! The choice of the samples of an input that count.

use std::path::Path;

use job::{Error, ErrorCode};
use perfdata::{Metadata, Sample};

use crate::gather::row_groups::Event;
use crate::gather::rows::EventId;
use crate::input::events::{HasCallChains, UsableEvents, call_chains, usable_events};
use crate::request::options::{GenerateOptions, SampleUse, Selection};

/// The events whose samples count, and the numbers of events.
pub(crate) struct Chosen<'a> {
    select: &'a Selection,
    samples: SampleUse,
    /// The events whose samples count, and which part of the samples counts.
    pub usable: UsableEvents,
    /// Number in the job of each event.
    pub numbers: Vec<EventId>,
    /// The call chains of each event that are collected with branch stacks.
    pub call_chains: Vec<HasCallChains>,
}

impl<'a> Chosen<'a> {
    /// Chooses by what the input states about its events. Adds events that the job does not know yet to `events`.
    ///
    /// # Errors
    /// If no event can count; the error says why.
    pub(crate) fn new(
        metadata: &Metadata,
        options: &'a GenerateOptions,
        events: &mut Vec<Event>,
        path: &Path,
    ) -> Result<Self, Error> {
        let usable = usable_events(metadata, options).map_err(|error| error.path(path))?;
        let mut call_chains = call_chains(metadata, options);
        if options.ignore_stack_samples {
            call_chains.fill(HasCallChains::default());
        }
        let numbers = metadata.attrs.iter().zip(&call_chains).map(|(attr, call_chains)| {
            let event = Event {
                name: attr.label(),
                arch: metadata.arch.clone(),
                call_chains: *call_chains,
            };
            let known = events.iter().position(|known| *known == event);
            let number = known.unwrap_or_else(|| {
                events.push(event);
                events.len() - 1
            });
            EventId::try_from(number).map_err(|_| {
                Error::new(ErrorCode::Unsupported, "the recordings have more than 65536 events")
                    .hint("Collect them in several runs.")
            })
        });
        let numbers = numbers.collect::<Result<_, _>>()?;
        Ok(Self {
            select: &options.select,
            samples: options.samples,
            usable,
            numbers,
            call_chains,
        })
    }

    /// Returns true if the addresses of samples of this event, which have no branch stack, are read.
    pub(crate) fn counts_addresses(&self, event: u16) -> bool {
        self.usable.addresses || self.samples == SampleUse::Any && self.usable.has_addresses(event)
    }

    /// Returns true if the event of the sample counts, and the user selected the sample.
    pub(crate) fn selects(&self, sample: &Sample<'_>) -> bool {
        let counts = self.usable.events.get(usize::from(sample.event));
        counts.is_none_or(|counts| *counts) && self.select.has(sample)
    }

    /// Returns true if call chains are a part of what counts.
    pub(crate) fn uses_call_chains(&self) -> bool {
        self.usable.addresses || self.call_chains.iter().any(|call_chains| call_chains.are_wanted())
    }
}
