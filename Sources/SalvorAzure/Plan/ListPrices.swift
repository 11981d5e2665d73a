/// What Azure's price list says for East US, in US dollars, pay as you go, as it stood in 2024. Other regions and contracts
/// differ: good for an estimate, no more.
enum ListPrices {
    static let basis = "Prices are an estimate: the list of 2024 for East US in US dollars, without discounts."

    private static let daysPerMonth = 365.0 / 12

    /// Of an hour of a Linux machine.
    private static let hours = [
        "standard_d2s_v5": 0.096, "standard_d4s_v5": 0.192, "standard_d8s_v5": 0.384, "standard_d16s_v5": 0.768,
    ]

    /// Disks are charged for by the next size that there is, used or not. Of a month, by GiB, locally redundant.
    private static let premium: [(Int64, String, Double)] = [
        (4, "P1", 0.60), (8, "P2", 1.20), (16, "P3", 2.40), (32, "P4", 5.28), (64, "P6", 10.21), (128, "P10", 19.71),
        (256, "P15", 38.01), (512, "P20", 73.22), (1024, "P30", 135.17), (2048, "P40", 259.05),
        (4096, "P50", 495.57),
    ]
    private static let standardSSD: [(Int64, String, Double)] = [
        (4, "E1", 0.30), (8, "E2", 0.60), (16, "E3", 1.20), (32, "E4", 2.40), (64, "E6", 4.80), (128, "E10", 9.60),
        (256, "E15", 19.20), (512, "E20", 38.40), (1024, "E30", 76.80), (2048, "E40", 153.60), (4096, "E50", 307.20),
    ]
    private static let standardHDD: [(Int64, String, Double)] = [
        (32, "S4", 1.54), (64, "S6", 3.01), (128, "S10", 5.89), (256, "S15", 11.33), (512, "S20", 21.76),
        (1024, "S30", 40.96), (2048, "S40", 77.83), (4096, "S50", 143.36),
    ]

    /// - Returns: nil for a size whose price is not known.
    static func machine(_ size: String, seconds: Int) -> Double? {
        hours[size.lowercased()].map { $0 * Double(seconds) / 3600 }
    }

    /// - Parameters:
    ///   - sku: `Premium_LRS`.
    ///   - tier: of a disk that is faster than its size gives, which has the tier's price: `P30`.
    /// - Returns: the name of what is charged, and its price for a day; nil where the price is not known.
    static func disk(sku: String, bytes: Int64, tier: String? = nil) -> (name: String, perDay: Double)? {
        let list: [(Int64, String, Double)]
        switch sku.lowercased() {
        case "premium_lrs": list = premium
        case "standardssd_lrs": list = standardSSD
        case "standard_lrs": list = standardHDD
        default: return nil
        }
        let size = list.first { $0.0 << 30 >= bytes }
        guard let size else { return nil }
        let charged = list.first { $0.1 == tier }.map { $0.0 > size.0 ? $0 : size } ?? size
        return (charged.1, charged.2 / daysPerMonth)
    }
}
