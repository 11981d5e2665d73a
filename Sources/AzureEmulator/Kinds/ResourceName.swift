/// The rules for names, from "Naming rules and restrictions for Azure resources".
enum ResourceName {
    /// - Parameters:
    ///   - others: what is allowed beside letters and digits.
    static func check(
        _ name: String, of kind: String, longest: Int, others: String = "_.-", lastMayNotBe: String = ".-"
    ) throws(ARMError) {
        let bytes = Array(name.utf8)
        let fits =
            (1...longest).contains(bytes.count)
            && bytes.allSatisfy { $0.isLetterOrDigit || others.utf8.contains($0) }
            && bytes.last.map { !lastMayNotBe.utf8.contains($0) } == true
        guard fits else {
            throw ARMError(
                400, "InvalidParameter",
                "The entity name '\(kind)' is invalid according to its validation rule: 1 to \(longest) characters of "
                    + "letters, digits and '\(others)', the last of which is none of '\(lastMayNotBe)'. '\(printable(name))' "
                    + "does not follow it.", target: kind)
        }
    }
}
