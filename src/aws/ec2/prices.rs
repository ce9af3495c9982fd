//! `DescribeSpotPriceHistory`: what the spot markets of some types cost, as a step function over time.

use crate::aws::api::Api;
use crate::aws::call::{Desk, Pages};
use crate::aws::fan;
use crate::aws::translate::{moment, required};
use crate::gateway::{GatewayError, Reading};
use crate::model::{InstanceType, Market, SpotPrice, Text, Usd, Zone};
use aws_sdk_ec2::types::{InstanceType as SdkType, SpotPrice as SdkPrice};
use aws_smithy_types::DateTime;
use futures::FutureExt as _;
use jiff::Timestamp;

/// The longest page.
const PAGE: i32 = 1_000;

/// How many types one call names.
const CHUNK: usize = 100;

/// The prices of every zone for these types and products: all that began after `since`, and of each market the one
/// that was in effect then. By market, the oldest first. A price that cannot be read is left out.
///
/// Types and products are always named: without them AWS tells of every market of the region.
pub(in crate::aws) async fn spot_prices(
    desk: &Desk,
    of: &[InstanceType],
    products: &[Text],
    since: Timestamp,
    pages: &Pages,
) -> Result<Vec<SpotPrice>, GatewayError> {
    let start = DateTime::from_secs(since.as_second());
    let products: Vec<String> = products.iter().map(ToString::to_string).collect();
    let ask = |types: Vec<SdkType>| {
        let products = products.clone();
        async move {
            let request = |token| {
                let ask = desk.ec2().describe_spot_price_history().set_instance_types(Some(types.clone()));
                let ask = ask.set_product_descriptions(Some(products.clone())).start_time(start);
                ask.max_results(PAGE).set_next_token(token).send()
            };
            let split = |page: aws_sdk_ec2::operation::describe_spot_price_history::DescribeSpotPriceHistoryOutput| {
                let prices = page.spot_price_history.unwrap_or_default();
                (prices.into_iter().filter_map(price).collect(), page.next_token)
            };
            desk.pages(Api::DescribeSpotPriceHistory, request, split).await
        }
        .boxed()
    };
    let types: Vec<SdkType> = of.iter().map(|one| SdkType::from(one.as_str())).collect();
    let chunks: Vec<Vec<SdkType>> = types.chunks(CHUNK).map(<[SdkType]>::to_vec).collect();
    if products.is_empty() || chunks.is_empty() {
        return Ok(Vec::new());
    }
    let read = fan::each(chunks, ask, |so_far| pages.show(|| Reading::Prices(sorted(so_far.to_vec())))).await;
    let (prices, trouble) = fan::apart(read);
    fan::settle(sorted(prices), trouble).map_err(|broken| broken.partial(Reading::Prices))
}

/// AWS promises no order, and has given the same change twice.
fn sorted(mut prices: Vec<SpotPrice>) -> Vec<SpotPrice> {
    prices.sort_by(|a, b| (&a.market, a.since).cmp(&(&b.market, b.since)));
    prices.dedup();
    prices
}

fn price(raw: SdkPrice) -> Option<SpotPrice> {
    Some(SpotPrice {
        market: Market {
            instance_type: InstanceType::new(raw.instance_type?.as_str()),
            zone: Zone::from(raw.availability_zone?),
            product: required(raw.product_description.map(|product| product.as_str().to_owned())),
        },
        since: moment(raw.timestamp),
        price: dollars(&raw.spot_price?)?,
    })
}

/// An amount as AWS writes it: `0.034300`. More than six decimals are cut.
fn dollars(text: &str) -> Option<Usd> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(rest) {
        return None;
    }
    let micros: String = rest.chars().chain("000000".chars()).take(6).collect();
    let whole = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    Some(Usd::from_micros(whole.checked_add(micros.parse().ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};

    #[test]
    fn amounts_keep_their_six_decimals() {
        let micros = |text| dollars(text).map(Usd::micros);
        assert_eq!(micros("0.034300"), Some(34_300));
        assert_eq!(micros("12.5"), Some(12_500_000));
        assert_eq!(micros("3"), Some(3_000_000));
        assert_eq!(micros("0.0000019"), Some(1));
        assert_eq!([micros(""), micros("-1"), micros("1e3"), micros("1.2.3")], [None; 4]);
    }

    #[tokio::test]
    async fn every_page_is_read_in_order_and_an_empty_token_is_the_end() {
        let item = |zone: &str, price: &str, at: &str| {
            format!(
                "<item><instanceType>t3.large</instanceType><productDescription>Linux/UNIX</productDescription>\
                 <spotPrice>{price}</spotPrice><timestamp>{at}</timestamp><availabilityZone>{zone}</availabilityZone>\
                 </item>"
            )
        };
        let fake = Fake::new(move |request, _| {
            let (items, next) = if request.contains("NextToken=two") {
                (item("us-east-1a", "0.030000", "2026-11-20T00:00:00.000Z"), "")
            } else {
                let later = item("us-east-1a", "0.040000", "2026-11-21T00:00:00.000Z");
                (format!("{later}{}", item("us-east-1b", "?", "2026-11-21T00:00:00.000Z")), "two")
            };
            let body = format!(
                "<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>{items}</spotPriceHistorySet>\
                 <nextToken>{next}</nextToken></DescribeSpotPriceHistoryResponse>"
            );
            Say::Whole(200, "text/xml", body)
        })
        .await;
        let (types, products) = (["t3.large".into()], [Text::new("Linux/UNIX")]);
        let since = "2026-11-20T00:00:00Z".parse().unwrap();
        let read =
            spot_prices(&fake.desk().await, &types, &products, since, &Pages::default()).await.unwrap();
        let micros: Vec<_> = read.iter().map(|one| one.price.micros()).collect();
        assert_eq!(micros, [30_000, 40_000], "one that cannot be read is left out");
        let heard = fake.heard.lock().unwrap();
        assert!(heard[0].contains("InstanceType.1=t3.large"), "{}", heard[0]);
        assert!(heard[0].contains("ProductDescription.1=Linux%2FUNIX"), "{}", heard[0]);
        assert!(heard[0].contains("StartTime=2026-11-20T00%3A00%3A00Z"), "{}", heard[0]);
    }
}
