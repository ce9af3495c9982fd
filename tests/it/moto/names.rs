//! Judged by moto: where Route 53 leads host names, page after page, through aliases, a CNAME and weights.

use super::seeded;
use crate::binary::Home;
use serde_json::json;

#[test]
fn host_names_lead_where_the_seed_made_them_lead() {
    let Some(seeded) = seeded() else { return };
    let home = Home::new();
    home.write("config/coredeck/coredeck.toml", "[dns]\nroute53 = true\n");
    let columns = "id,leads_to,way,ttl,dns_zone,dns_private,troubles";
    let ran = home.run(&[
        "get",
        "tenants",
        "-o",
        "json",
        "--columns",
        columns,
        "--allow-partial",
        "--endpoint-url",
        &seeded.moto.url,
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!ran.json()["warnings"].to_string().contains("records"), "{}", ran.err);
    let rows = ran.data();
    let of = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id}")).clone();
    let balancer = |n: usize| format!("balancer {}", seeded.made["balancers"][n].as_str().unwrap());
    let first = of("tenant-00");
    assert_eq!((&first["leads_to"], &first["ttl"]), (&json!([balancer(0)]), &json!(60)), "an alias");
    let second = of("tenant-01");
    assert_eq!(second["leads_to"], json!([balancer(0)]), "a CNAME to an alias");
    assert_eq!(second["way"], json!(["tenant-01.example.com", "tenant-00.example.com"]));
    assert_eq!((&second["ttl"], &second["dns_zone"]), (&json!(3600), &json!("example.com")));
    assert!(second["troubles"].to_string().contains("remembered for 3600 s"), "{second}");
    let shared = of("tenant-02");
    let mut ends: Vec<&str> =
        shared["leads_to"].as_array().unwrap().iter().map(|end| end.as_str().unwrap()).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["203.0.113.9 10/100", &format!("{} 90/100", balancer(1))]);
    // What has no record of its own has the wildcard's, which stands on another page than the rest.
    assert_eq!(of("tenant-20")["leads_to"], json!([balancer(1)]));
}
