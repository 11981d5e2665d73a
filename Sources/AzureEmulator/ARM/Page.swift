internal import SalvorJSON

/// Lists as clients ask for them: `$filter`, and `$top` with a link to what comes next.
struct Page {
    private let filter: ODataFilter?
    private let size: Int?
    private let start: Int
    private let request: EmulatorRequest

    /// - Throws: `InvalidFilterInQueryString`, `InvalidTopInQueryString`, `InvalidSkipToken`.
    init(_ request: EmulatorRequest) throws(ARMError) {
        self.request = request
        let text = request.query["$filter"] ?? ""
        filter = text.isEmpty ? nil : try ODataFilter(text)
        size = try Self.number(request.query["$top"], "InvalidTopInQueryString", from: 1)
        start = try Self.number(request.query["$skiptoken"], "InvalidSkipToken", from: 0) ?? 0
    }

    private static func number(_ text: String?, _ code: String, from least: Int) throws(ARMError) -> Int? {
        guard let text else { return nil }
        guard let number = Int(text), (least...1_000_000).contains(number) else {
            throw ARMError(400, code, "The value '\(printable(text))' in the query string is not a number that fits.")
        }
        return number
    }

    func response(_ records: [Record], _ show: (Record) -> JSONValue) -> EmulatorResponse {
        let found = records.filter { filter?.matches($0) ?? true }
        let end = size.map { min(start + $0, found.count) } ?? found.count
        var json: JSONValue = ["value": .array(start < end ? found[start..<end].map(show) : [])]
        if end < found.count {
            let query = request.query.merging(["$skiptoken": "\(end)"]) { $1 }
            json[path: "nextLink"] = .string(
                Answer.link(request.base + request.path, query.mapValues(Self.escaped)))
        }
        return EmulatorResponse(200, json: json)
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if byte.isLetterOrDigit || "-._~".utf8.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
