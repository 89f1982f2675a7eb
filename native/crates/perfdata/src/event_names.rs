//! Names of events. Files store the names apart from the attrs, in several ways.

use std::collections::HashMap;

use crate::attr::EventAttr;

/// The names that were read so far.
#[derive(Debug, Default)]
pub(crate) struct EventNames {
    /// Attrs with names and ids, from EVENT_DESC.
    described: Vec<EventAttr>,
    /// Name of the event that has this id, from EVENT_UPDATE.
    updates: HashMap<u64, String>,
    /// Name of the events with this config, from HEADER_EVENT_TYPE and the event_types section.
    by_config: HashMap<u64, String>,
    changed: bool,
}

impl EventNames {
    /// Begins a new EVENT_DESC, which replaces an earlier one.
    pub(crate) fn begin_description(&mut self) {
        self.described.clear();
        self.changed = true;
    }

    pub(crate) fn describe(&mut self, attr: EventAttr) {
        self.described.push(attr);
    }

    pub(crate) fn update(&mut self, id: u64, name: String) {
        self.updates.insert(id, name);
        self.changed = true;
    }

    pub(crate) fn event_type(&mut self, config: u64, name: String) {
        self.by_config.insert(config, name);
        self.changed = true;
    }

    pub(crate) fn attr_added(&mut self) {
        self.changed = true;
    }

    /// Sets the names of `attrs`, and the ids of attrs that have none (some perf versions wrote HEADER_ATTR records
    /// without ids into pipes). Returns the numbers of the events that were given ids.
    pub(crate) fn apply(&mut self, attrs: &mut [EventAttr]) -> Vec<usize> {
        if !std::mem::take(&mut self.changed) {
            return Vec::new();
        }
        let mut by_id = HashMap::new();
        for described in &self.described {
            by_id.extend(described.ids.iter().map(|&id| (id, described)));
        }
        let one_to_one = self.described.len() == attrs.len();
        let mut given_ids = Vec::new();
        for (index, attr) in attrs.iter_mut().enumerate() {
            let twin = one_to_one.then(|| &self.described[index]);
            if attr.ids.is_empty()
                && let Some(twin) = twin.filter(|twin| !twin.ids.is_empty())
            {
                attr.ids.clone_from(&twin.ids);
                given_ids.push(index);
            }
            let of_ids = attr.ids.iter().find_map(|id| {
                by_id
                    .get(id)
                    .and_then(|described| described.name.as_ref())
                    .or_else(|| self.updates.get(id))
            });
            let name = of_ids
                .or_else(|| twin.and_then(|twin| twin.name.as_ref()))
                .or_else(|| self.by_config.get(&attr.config));
            if let Some(name) = name {
                attr.name = Some(name.clone());
            }
        }
        given_ids
    }
}
