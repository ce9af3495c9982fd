//! The `aws …` command that repeats a request, made from the request as it was really sent.
//!
//! Nothing is told twice: parameters are read back from the serialised body, so the command cannot drift
//! from what our readers ask. Simple values become flags; what has parts, or what the aws command would
//! take for something else, goes into `--cli-input-json`.

mod body;
mod shell;

use super::api::Api;
use serde_json::{Map, Value};
use shell::quoted;

/// A request as it was sent: as much of it as decides the command.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sent {
    /// The content type.
    pub(super) kind: String,
    /// The serialised parameters.
    pub(super) body: Vec<u8>,
    /// The address, whose path and query are the parameters where there is no body.
    pub(super) address: String,
}

/// Where a request went, and with whose credentials.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place<'a> {
    /// The region.
    pub(super) region: &'a str,
    /// The AWS profile, where one names the credentials.
    pub(super) profile: Option<&'a str>,
    /// The endpoint, where it is not AWS's own.
    pub(super) endpoint: Option<&'a str>,
}

/// Parameters that open something, by themselves or for a minute. They never leave the request.
const SECRET: [&str; 4] = ["TokenCode", "ExternalId", "WebIdentityToken", "SAMLAssertion"];

/// Parameters that make the aws command give one page. Without one of them it would read on to the end.
const PAGING: [&str; 8] = [
    "MaxResults",
    "MaxRecords",
    "PageSize",
    "NextToken",
    "Marker",
    "StartRecordName",
    "maxResults",
    "nextToken",
];

/// The command. A body that cannot be read back gives none.
pub(super) fn command(api: Api, sent: &Sent, place: &Place<'_>) -> Option<String> {
    let mut parameters = body::parameters(api, sent)?;
    for (name, value) in &mut parameters {
        if SECRET.contains(&name.as_str()) {
            *value = Value::String("REDACTED".to_owned());
        }
    }
    if parameters.get("Type").and_then(Value::as_str) == Some("SecureString")
        && let Some(value) = parameters.get_mut("Value")
    {
        *value = Value::String("REDACTED".to_owned());
    }
    // The aws command knows both only as one.
    if let (Api::RunInstances, Some(least), Some(most)) =
        (api, parameters.remove("MinCount"), parameters.remove("MaxCount"))
    {
        let both = if least == most { least } else { Value::String(format!("{least}:{most}")) };
        parameters.insert("Count".to_owned(), both);
    }
    let mut words = vec!["aws".to_owned(), service(api).to_owned(), hyphenated(api.name())];
    let pages_itself = parameters.keys().any(|name| PAGING.contains(&name.as_str()));
    let mut odd = Map::new();
    for (name, value) in parameters {
        match flags(&name, &value) {
            Some(flags) => words.extend(flags),
            None => drop(odd.insert(name, value)),
        }
    }
    if !odd.is_empty() {
        words.extend(["--cli-input-json".to_owned(), quoted(&Value::Object(odd).to_string())]);
    }
    if !pages_itself && is_a_list(api) {
        words.push("--no-paginate".to_owned());
    }
    words.extend(["--region".to_owned(), quoted(place.region)]);
    if let Some(profile) = place.profile {
        words.extend(["--profile".to_owned(), quoted(profile)]);
    }
    if let Some(endpoint) = place.endpoint {
        words.extend(["--endpoint-url".to_owned(), quoted(endpoint)]);
    }
    Some(words.join(" "))
}

/// What the aws command calls the service.
fn service(api: Api) -> &'static str {
    match api.action().split_once(':').map(|(service, _)| service) {
        Some("elasticloadbalancing") => "elbv2",
        Some(service) => service,
        None => "",
    }
}

/// Tells whether the aws command may page through the answer by itself.
fn is_a_list(api: Api) -> bool {
    !api.is_change() && !matches!(api, Api::GetCallerIdentity | Api::AssumeRole)
}

/// A parameter as flags, if the aws command reads them as what they are.
fn flags(name: &str, value: &Value) -> Option<Vec<String>> {
    let flag = hyphenated(name);
    match value {
        Value::Bool(true) => Some(vec![format!("--{flag}")]),
        Value::Bool(false) => Some(vec![format!("--no-{flag}")]),
        Value::Array(items) if !items.is_empty() => {
            let words: Option<Vec<String>> = items.iter().map(word).collect();
            Some(std::iter::once(format!("--{flag}")).chain(words?).collect())
        }
        value => Some(vec![format!("--{flag}"), word(value)?]),
    }
}

/// A value as one word; none for what has parts or would be taken for something else: another flag, JSON,
/// or the address of a file.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => {
            let is_odd = ["-", "[", "{", "file:", "fileb:", "http:", "https:", "@"]
                .iter()
                .any(|start| text.starts_with(start));
            // The shell cannot pass a NUL, and the aws command takes no empty text for a value.
            let is_odd = is_odd || text.is_empty() || text.contains('\0');
            (!is_odd).then(|| quoted(text))
        }
        _ => None,
    }
}

/// `DescribeInstances` as the aws command writes it: `describe-instances`.
fn hyphenated(name: &str) -> String {
    let mut written = String::with_capacity(name.len() + 4);
    for (at, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && at > 0 {
            written.push('-');
        }
        written.push(c.to_ascii_lowercase());
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::api::Api;
    use super::{Place, Sent, command, hyphenated};

    fn form(body: &str) -> Sent {
        Sent {
            kind: "application/x-www-form-urlencoded".to_owned(),
            body: body.as_bytes().to_vec(),
            ..Sent::default()
        }
    }

    fn json(body: &str) -> Sent {
        Sent {
            kind: "application/x-amz-json-1.1".to_owned(),
            body: body.as_bytes().to_vec(),
            ..Sent::default()
        }
    }

    fn told(api: Api, sent: &Sent) -> String {
        command(api, sent, &Place { region: "us-east-1", ..Place::default() }).unwrap()
    }

    #[test]
    fn a_page_of_instances_is_asked_for_again() {
        let body = "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000&NextToken=a%2Bb%3D";
        let place =
            Place { region: "us-east-1", profile: Some("prod"), endpoint: Some("http://127.0.0.1:1") };
        assert_eq!(
            command(Api::DescribeInstances, &form(body), &place).unwrap(),
            "aws ec2 describe-instances --max-results 1000 --next-token a+b= --region us-east-1 --profile prod \
             --endpoint-url http://127.0.0.1:1"
        );
    }

    #[test]
    fn lists_and_filters_of_ec2_get_the_names_that_its_model_has() {
        let body = "Action=DescribeLaunchTemplateVersions&Version=1&LaunchTemplateId=lt-1\
                    &LaunchTemplateVersion.1=3&LaunchTemplateVersion.2=%24Latest";
        assert_eq!(
            told(Api::DescribeLaunchTemplateVersions, &form(body)),
            "aws ec2 describe-launch-template-versions --launch-template-id lt-1 --versions 3 '$Latest' \
             --no-paginate --region us-east-1"
        );
        let body = "Action=DescribeImages&Version=1&Filter.1.Name=name&Filter.1.Value.1=it%27s&IncludeDeprecated=true";
        assert_eq!(
            told(Api::DescribeImages, &form(body)),
            "aws ec2 describe-images --include-deprecated --cli-input-json \
             '{\"Filters\":[{\"Name\":\"name\",\"Values\":[\"it'\\''s\"]}]}' --no-paginate --region us-east-1"
        );
    }

    #[test]
    fn members_of_other_query_services_are_lists() {
        let body = "Action=DescribeTags&Version=1&ResourceArns.member.2=b&ResourceArns.member.1=a";
        let all: String = (1..=11).map(|nth| format!("&ResourceArns.member.{nth}={nth}")).collect();
        assert!(told(Api::DescribeTargetHealth, &form(body)).contains("--resource-arns a b "));
        let told = told(Api::DescribeTargetHealth, &form(&format!("Action=x{all}")));
        assert!(told.contains("--resource-arns 1 2 3 4 5 6 7 8 9 10 11 "), "{told}");
    }

    #[test]
    fn what_stands_in_a_path_is_a_parameter_too() {
        let address =
            "http://127.0.0.1:1/2013-04-01/hostedzone/Z1/rrset?maxitems=300&name=a.example.com.&type=A";
        let sent = Sent { address: address.to_owned(), ..Sent::default() };
        assert_eq!(
            told(Api::ListResourceRecordSets, &sent),
            "aws route53 list-resource-record-sets --hosted-zone-id Z1 --start-record-name a.example.com. \
             --start-record-type A --region us-east-1"
        );
        let address = "https://route53.amazonaws.com/2013-04-01/hostedzone?maxitems=100";
        let sent = Sent { address: address.to_owned(), ..Sent::default() };
        assert_eq!(
            told(Api::ListHostedZones, &sent),
            "aws route53 list-hosted-zones --no-paginate --region us-east-1"
        );
    }

    #[test]
    fn json_keeps_its_types() {
        let body =
            r#"{"path":"/a b","recursive":true,"withDecryption":false,"maxResults":10,"deep":{"a":[1]}}"#;
        assert_eq!(
            told(Api::GetParametersByPath, &json(body)),
            "aws ssm get-parameters-by-path --max-results 10 --path '/a b' --recursive --no-with-decryption \
             --cli-input-json '{\"deep\":{\"a\":[1]}}' --region us-east-1"
        );
    }

    #[test]
    fn what_would_be_taken_for_something_else_stands_in_json() {
        for odd in ["-x", "file:///etc/passwd", "[1]", "{}", ""] {
            let body = serde_json::json!({ "nextToken": odd }).to_string();
            let told = told(Api::ListClusters, &json(&body));
            assert!(!told.contains("--next-token") && told.contains("--cli-input-json"), "{told}");
        }
    }

    #[test]
    fn secrets_stay_behind() {
        let body =
            "Action=AssumeRole&Version=1&RoleArn=arn&RoleSessionName=me&TokenCode=123456&ExternalId=door";
        let told = told(Api::AssumeRole, &form(body));
        assert!(!told.contains("123456") && !told.contains("door"), "{told}");
        assert!(told.contains("--token-code REDACTED"), "{told}");
        let body = r#"{"Name":"/a","Value":"s3cret","Type":"SecureString","Overwrite":true}"#;
        let told = self::told(Api::PutParameter, &json(body));
        assert!(!told.contains("s3cret") && told.contains("--value REDACTED"), "{told}");
    }

    #[test]
    fn a_body_that_is_none_gives_no_command() {
        let place = Place::default();
        assert_eq!(command(Api::ListTasks, &json("{"), &place), None);
        let cbor = Sent { kind: "application/cbor".to_owned(), body: vec![0xbf, 0x61], ..Sent::default() };
        assert_eq!(command(Api::DescribeAlarms, &cbor, &place), None);
        assert_eq!(command(Api::DescribeAlarms, &Sent::default(), &place), None);
    }

    #[test]
    fn names_are_written_with_hyphens() {
        assert_eq!(hyphenated("DescribeAutoScalingGroups"), "describe-auto-scaling-groups");
        assert_eq!(hyphenated("containerInstances"), "container-instances");
    }
}
