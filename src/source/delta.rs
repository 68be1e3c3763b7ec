//! The changes between two samples, as JSON. Recordings hold a full sample now and then, and only the
//! changes in between.
//!
//! - The delta of an object holds its changed members, and the names of the removed ones under `-`.
//! - The delta of a list whose items have an id (processes a pid, cgroups a path) is an object with the
//!   changed items under `*` and the ids of the removed ones under `-`.
//! - Everything else is written in full; under `=` if it has a member of one of these names itself.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

/// Names of the removed members or items.
const REMOVED: &str = "-";
/// The changed items of a list.
const CHANGED: &str = "*";
/// The full value, where it would be mistaken for a delta.
const FULL: &str = "=";

/// The lists whose items have an id, and the member that is the id.
const LISTS: &[(&str, &str)] = &[("processes", "pid"), ("list", "path")];

fn id_of_list(key: &str) -> Option<&'static str> {
    LISTS.iter().find(|(list, _)| *list == key).map(|(_, id)| *id)
}

/// The delta that turns `old` into `new`; `None` if they are equal.
#[must_use]
pub fn diff(old: &Value, new: &Value) -> Option<Value> {
    between("", old, new)
}

fn between(key: &str, old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    Some(match (old, new, id_of_list(key)) {
        (Value::Object(old), Value::Object(new), _) if !marked(old) => {
            Value::Object(members(old, new))
        }
        (Value::Object(_), Value::Object(_), _) => json!({ FULL: new }),
        (Value::Array(old), Value::Array(new), Some(id)) => {
            items(old, new, id).unwrap_or_else(|| Value::Array(new.clone()))
        }
        _ => new.clone(),
    })
    .map(|delta| match new {
        Value::Object(object) if marked(object) => json!({ FULL: new }),
        _ => delta,
    })
}

/// Whether the object has a member with the name of a mark.
fn marked(object: &Map<String, Value>) -> bool {
    [REMOVED, CHANGED, FULL].iter().any(|mark| object.contains_key(*mark))
}

fn members(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut changed = Map::new();
    for (key, value) in new {
        let is = match old.get(key) {
            Some(was) => between(key, was, value),
            None => Some(value.clone()),
        };
        if let Some(is) = is {
            changed.insert(key.clone(), is);
        }
    }
    let removed: Vec<Value> =
        old.keys().filter(|key| !new.contains_key(*key)).map(|key| key.as_str().into()).collect();
    if !removed.is_empty() {
        changed.insert(REMOVED.to_owned(), removed.into());
    }
    changed
}

/// The delta of a list; `None` if an item has no id, two items have the same one, or applying the delta
/// would change the order of the new list.
fn items(old: &[Value], new: &[Value], id: &str) -> Option<Value> {
    let old_by_id = by_id(old, id)?;
    let new_by_id = by_id(new, id)?;
    let mut changed = Vec::new();
    for (item, key) in new.iter().zip(new.iter().filter_map(|item| id_of(item, id))) {
        let Some(was) = old_by_id.get(&key).and_then(|&at| old.get(at)) else {
            changed.push(item.clone());
            continue;
        };
        if let Some(Value::Object(mut members)) = between("", was, item) {
            members.insert(id.to_owned(), item.get(id)?.clone());
            changed.push(Value::Object(members));
        }
    }
    let removed: Vec<Value> = old
        .iter()
        .filter(|item| id_of(item, id).is_some_and(|key| !new_by_id.contains_key(&key)))
        .filter_map(|item| item.get(id).cloned())
        .collect();
    let mut object = Map::new();
    object.insert(CHANGED.to_owned(), changed.into());
    if !removed.is_empty() {
        object.insert(REMOVED.to_owned(), removed.into());
    }
    // An item that moved within the list cannot be expressed.
    let applied = put_items(old.to_vec(), object.clone(), id);
    (applied == new).then_some(Value::Object(object))
}

fn id_of(item: &Value, id: &str) -> Option<String> {
    match item.as_object().filter(|object| !marked(object))?.get(id)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn by_id(items: &[Value], id: &str) -> Option<HashMap<String, usize>> {
    let mut found = HashMap::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        if found.insert(id_of(item, id)?, at).is_some() {
            return None;
        }
    }
    Some(found)
}

/// Applies a delta of [`diff`] to `old`. Any input gives a value: a recording may come from anyone, and
/// the reader refuses a value that is not a sample afterwards.
#[must_use]
pub fn apply(old: Value, delta: Value) -> Value {
    put("", old, delta)
}

fn put(key: &str, old: Value, mut delta: Value) -> Value {
    if let Some(full) = delta.get_mut(FULL) {
        return full.take();
    }
    match (old, delta, id_of_list(key)) {
        (Value::Array(old), Value::Object(delta), Some(id)) if delta.contains_key(CHANGED) => {
            Value::Array(put_items(old, delta, id))
        }
        (Value::Object(old), Value::Object(delta), _) => Value::Object(put_members(old, delta)),
        (_, delta, _) => delta,
    }
}

/// The items of a list of a delta; none if it is no list.
fn take_list(delta: &mut Map<String, Value>, key: &str) -> Vec<Value> {
    match delta.remove(key) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn put_members(
    mut members: Map<String, Value>,
    mut delta: Map<String, Value>,
) -> Map<String, Value> {
    for removed in take_list(&mut delta, REMOVED) {
        if let Some(key) = removed.as_str() {
            members.remove(key);
        }
    }
    for (key, value) in delta {
        match members.get_mut(&key) {
            Some(member) => *member = put(&key, member.take(), value),
            None => _ = members.insert(key, value),
        }
    }
    members
}

fn put_items(old: Vec<Value>, mut delta: Map<String, Value>, id: &str) -> Vec<Value> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let removed: HashSet<String> = take_list(&mut delta, REMOVED).into_iter().map(text).collect();
    let mut changed: Vec<Option<Value>> =
        take_list(&mut delta, CHANGED).into_iter().map(Some).collect();
    let by_id: HashMap<String, usize> = (0..)
        .zip(&changed)
        .filter_map(|(at, item)| Some((id_of_delta(item.as_ref()?, id)?, at)))
        .collect();
    let mut result = Vec::with_capacity(old.len() + changed.len());
    for item in old {
        let Some(key) = id_of(&item, id).filter(|key| !removed.contains(key)) else { continue };
        let delta = by_id.get(&key).and_then(|&at| changed.get_mut(at)?.take());
        result.push(match delta {
            Some(delta) => put("", item, delta),
            None => item,
        });
    }
    // New items are sorted in by their id if it is a number, else appended in the order of the delta.
    let known = result.len();
    result.extend(changed.into_iter().flatten().filter(|item| id_of_delta(item, id).is_some()));
    if known < result.len() {
        result.sort_by_key(|item| item.get(id).and_then(Value::as_i64));
    }
    result
}

fn id_of_delta(item: &Value, id: &str) -> Option<String> {
    match item.get(id)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trips(old: &Value, new: &Value) {
        match diff(old, new) {
            None => assert_eq!(old, new),
            Some(delta) => assert_eq!(&apply(old.clone(), delta.clone()), new, "{delta}"),
        }
    }

    #[test]
    fn a_delta_holds_only_changes() {
        let old = json!({"memory": {"free": 1, "total": 9}, "processes": [
            {"pid": 1, "comm": "a", "rss": 5}, {"pid": 7, "comm": "b"}, {"pid": 9, "comm": "c", "x": 1}]});
        let new = json!({"memory": {"free": 2, "total": 9}, "processes": [
            {"pid": 1, "comm": "a", "rss": 6}, {"pid": 8, "comm": "d"}, {"pid": 9, "comm": "c"}]});
        let delta = diff(&old, &new).expect("they differ");
        assert_eq!(
            delta,
            json!({"memory": {"free": 2}, "processes": {"*": [
                {"pid": 1, "rss": 6}, {"pid": 8, "comm": "d"}, {"pid": 9, "-": ["x"]}], "-": [7]}})
        );
        assert_eq!(apply(old, delta), new);
        assert_eq!(diff(&new, &new), None);
    }

    #[test]
    fn lists_without_unique_ids_are_written_in_full() {
        for (old, new) in [
            (json!({"processes": [{"pid": 1}, {"pid": 1}]}), json!({"processes": [{"pid": 1}]})),
            (
                json!({"processes": [{"pid": 2}, {"pid": 1}]}),
                json!({"processes": [{"pid": 1}, {"pid": 2}]}),
            ),
            (json!({"list": [{"path": "/b"}]}), json!({"list": [{"path": "/a"}, {"path": "/b"}]})),
            (json!({"list": [1, 2]}), json!({"list": [2]})),
            (json!({"a": {"-": 1}}), json!({"a": {"b": 1}})),
            (json!({"a": {"b": 1}}), json!({"a": {"*": [1]}})),
        ] {
            round_trips(&old, &new);
            round_trips(&new, &old);
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0_i64..4).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let keys = prop_oneof![
                "[a-b]",
                Just("pid".to_owned()),
                Just("path".to_owned()),
                Just("processes".to_owned()),
                Just("list".to_owned()),
                Just("-".to_owned()),
                Just("*".to_owned())
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(keys, inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_change_round_trips(old in any_value(), new in any_value()) {
            round_trips(&old, &new);
        }

        #[test]
        fn any_delta_is_applied_without_a_panic(old in any_value(), delta in any_value()) {
            let _ = apply(old, delta);
        }
    }
}
