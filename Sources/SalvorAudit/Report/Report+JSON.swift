#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension Report {
    /// The report as JSON: `Coordinator/report/report.schema.json`. Indented, keys sorted, ASCII, ends with a line feed.
    package func json() throws(AuditError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            let bytes = asciiJSON(try encoder.encode(self), keepingLineFeeds: true)
            return String(decoding: bytes, as: UTF8.self) + "\n"
        } catch {
            throw AuditError(
                .exportFailed, "The report of run \(printable(run)) has no JSON form.",
                nextStep: "Export it as csv or html. This is a fault in Salvor; please report it.", cause: error)
        }
    }
}
