//! Docker's templates, of Go's kind: values by their paths, `json`, `index`, `len`, `println`, `.Label`, loops and
//! conditions. What is not known is said as docker says it.

use serde_json::Value;

#[derive(Debug)]
enum Part {
    Text(String),
    Show(String),
    Range { names: Vec<String>, of: String, body: Vec<Part> },
    If { of: String, body: Vec<Part>, otherwise: Vec<Part> },
}

/// Fills a template.
pub(super) fn render(template: &str, value: &Value) -> Result<String, String> {
    let template = template.replace("\\t", "\t").replace("\\n", "\n");
    let mut rest = template.as_str();
    let (parts, end) = parts(&mut rest)?;
    if let Some(end) = end {
        return Err(format!("template parsing error: unexpected {{{{{end}}}}}"));
    }
    let mut out = String::new();
    fill(&parts, value, &[], &mut out)?;
    Ok(out)
}

/// Parts up to an `end` or `else`, and which of them it was.
fn parts(rest: &mut &str) -> Result<(Vec<Part>, Option<&'static str>), String> {
    let mut all = Vec::new();
    while let Some((before, after)) = rest.split_once("{{") {
        if !before.is_empty() {
            all.push(Part::Text(before.to_owned()));
        }
        let Some((action, after)) = after.split_once("}}") else {
            return Err("template parsing error: unclosed action".to_owned());
        };
        *rest = after;
        let action = action.trim();
        let block = |rest: &mut &str| -> Result<(Vec<Part>, bool), String> {
            match parts(rest)? {
                (body, Some(end)) => Ok((body, end == "else")),
                (_, None) => Err("template parsing error: unexpected EOF".to_owned()),
            }
        };
        match action.split_once(' ').map_or((action, ""), |(word, more)| (word, more.trim())) {
            ("end", _) => return Ok((all, Some("end"))),
            ("else", _) => return Ok((all, Some("else"))),
            ("range", of) => {
                let (names, of) = of.split_once(":=").unwrap_or(("", of));
                let names = names.split(',').map(|name| name.trim().to_owned()).collect();
                let (body, _) = block(rest)?;
                all.push(Part::Range { names, of: of.trim().to_owned(), body });
            }
            ("if", of) => {
                let (body, has_other) = block(rest)?;
                let otherwise = if has_other { block(rest)?.0 } else { Vec::new() };
                all.push(Part::If { of: of.to_owned(), body, otherwise });
            }
            _ => all.push(Part::Show(action.to_owned())),
        }
    }
    if !rest.is_empty() {
        all.push(Part::Text((*rest).to_owned()));
    }
    *rest = "";
    Ok((all, None))
}

type Named = (String, Value);

fn fill(parts: &[Part], dot: &Value, named: &[Named], out: &mut String) -> Result<(), String> {
    let mut named = named.to_vec();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Show(action) if action.starts_with('$') && action.contains(":=") => {
                let (name, of) = action.split_once(":=").unwrap_or((action, ""));
                let of = value(of.trim(), dot, &named)?;
                named.push((name.trim().to_owned(), of));
            }
            Part::Show(action) => out.push_str(&shown(action, dot, &named)?),
            Part::If { of, body, otherwise } => {
                let is_so = match value(of, dot, &named)? {
                    Value::Null => false,
                    Value::Bool(is_so) => is_so,
                    Value::Number(number) => number.as_f64() != Some(0.0),
                    Value::String(text) => !text.is_empty(),
                    Value::Array(all) => !all.is_empty(),
                    Value::Object(all) => !all.is_empty(),
                };
                fill(if is_so { body } else { otherwise }, dot, &named, out)?;
            }
            Part::Range { names, of, body } => {
                let all: Vec<(Value, Value)> = match value(of, dot, &named)? {
                    Value::Array(all) => all.into_iter().enumerate().map(|(at, v)| (at.into(), v)).collect(),
                    Value::Object(all) => all.into_iter().map(|(key, v)| (key.into(), v)).collect(),
                    _ => Vec::new(),
                };
                for (key, one) in all {
                    let mut inner = named.to_vec();
                    match names.as_slice() {
                        [only] if !only.is_empty() => inner.push((only.clone(), one.clone())),
                        [first, second] => {
                            inner.extend([(first.clone(), key), (second.clone(), one.clone())]);
                        }
                        _ => {}
                    }
                    fill(body, &one, &inner, out)?;
                }
            }
        }
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What an action writes.
fn shown(action: &str, dot: &Value, named: &[Named]) -> Result<String, String> {
    let (word, more) = action.split_once(' ').map_or((action, ""), |(word, more)| (word, more.trim()));
    Ok(match word {
        "json" => value(more, dot, named)?.to_string(),
        "println" if more.is_empty() => "\n".to_owned(),
        "println" => text(&value(more, dot, named)?) + "\n",
        "len" => match value(more, dot, named)? {
            Value::Array(all) => all.len().to_string(),
            Value::Object(all) => all.len().to_string(),
            other => text(&other).len().to_string(),
        },
        // Nothing where the map lacks it.
        "index" => {
            let found = value(action, dot, named)?;
            if found.is_null() { String::new() } else { text(&found) }
        }
        // Labels of `docker ps`, which has them in one text.
        ".Label" => {
            let key = more.trim_matches('"');
            let all = dot.get("Labels").and_then(Value::as_str).unwrap_or_default();
            let mut pairs = all.split(',').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| *name == key).map_or("", |(_, value)| value).to_owned()
        }
        _ => text(&value(action, dot, named)?),
    })
}

/// The value of a path from the dot, or of a variable.
fn value(path: &str, dot: &Value, named: &[Named]) -> Result<Value, String> {
    if path.starts_with('$') {
        let found = named.iter().rev().find(|(name, _)| name == path);
        return found
            .map(|(_, value)| value.clone())
            .ok_or_else(|| format!("template parsing error: undefined variable \"{path}\""));
    }
    let word = |text: &str| text.trim().trim_matches('"').to_owned();
    match path.split_once(' ').map(|(function, more)| (function, more.trim().split_once(' '))) {
        Some(("split", Some((of, by)))) => {
            let of = text(&value(of, dot, named)?);
            return Ok(of.split(word(by).as_str()).map(Value::from).collect());
        }
        Some(("index", Some((of, at)))) => {
            let (of, at) = (value(of, dot, named)?, word(at));
            let Value::Array(all) = &of else { return Ok(of.get(at).cloned().unwrap_or_default()) };
            let found = at.parse::<usize>().ok().and_then(|at| all.get(at));
            return found.cloned().ok_or_else(|| {
                format!(
                    "template: :1:2: executing \"\" at <index>: error calling index: index out of range: {at}"
                )
            });
        }
        _ => {}
    }
    let Some(steps) = path.strip_prefix('.') else {
        return Err(format!("template parsing error: function \"{path}\" not defined"));
    };
    let mut found = dot;
    for step in steps.split('.').filter(|step| !step.is_empty()) {
        found = found.get(step).ok_or_else(|| {
            format!("template: :1:2: executing \"\" at <.{steps}>: can't evaluate field {step}")
        })?;
    }
    Ok(found.clone())
}

#[cfg(test)]
mod tests {
    use super::render;
    use serde_json::json;

    #[test]
    fn values_loops_and_conditions() {
        let value =
            json!({ "A": { "B": [{ "C": "x" }, { "C": "y" }] }, "L": { "k": "v", "m": "w" }, "N": 0 });
        let filled = |template: &str| render(template, &value).unwrap();
        assert_eq!(filled("{{.N}}|{{json .A.B}}|{{len .A.B}}"), "0|[{\"C\":\"x\"},{\"C\":\"y\"}]|2");
        assert_eq!(filled("{{range .A.B}}{{println .C}}{{end}}."), "x\ny\n.");
        assert_eq!(filled("{{range $k, $v := .L}}--o {{$k}}={{$v}} {{end}}"), "--o k=v --o m=w ");
        assert_eq!(filled("{{if .N}}a{{else}}b{{end}}{{index .L \"k\"}}{{index .L \"none\"}}"), "bv");
        let env = json!({ "Env": ["A=1", "BASE_PATH=/auth", "MY_BASE_PATH=/no", "B=x BASE_PATH=y"] });
        let one = "{{range .Env}}{{$p := split . \"BASE_PATH=\"}}{{if index $p 0}}{{else}}{{range $p}}{{.}}{{end}}{{end}}{{end}}";
        assert_eq!(render(one, &env).unwrap(), "/auth");
        assert!(render("{{.X}}", &value).unwrap_err().contains("can't evaluate field X"));
        assert!(render("{{foo}}", &value).is_err() && render("{{range .L}}", &value).is_err());
    }
}
