/// Steps as a table with a bar each, to one scale.
struct Timeline {
    let steps: [StepReport]

    var html: HTML {
        guard let first = steps.map(\.startedAt.unixMilliseconds).min() else { return .empty }
        let end = steps.map { $0.startedAt.unixMilliseconds + Int64(clamping: $0.milliseconds ?? 0) }.max() ?? first
        // Wall clocks jump: a scale of nothing would divide by nothing.
        let scale = Double(max(1, end - first))
        return HTML.element("div") {
            HTML.element("h3") { "Timeline" }
            HTML.element("div", .class("scroll")) {
                HTML.element("table", .class("timeline")) {
                    HTML.element("thead") {
                        HTML.element("tr") {
                            for column in ["Step", "Began", "Took", "Course"] {
                                HTML.element("th", .other("scope", "col")) { column }
                            }
                        }
                    }
                    HTML.element("tbody") {
                        for step in steps { row(step, first: first, scale: scale) }
                    }
                }
            }
        }
    }

    private func row(_ step: StepReport, first: Int64, scale: Double) -> HTML {
        let start = percent(Double(step.startedAt.unixMilliseconds - first) / scale)
        let width = percent(Double(step.milliseconds ?? 0) / scale)
        let nested = step.step.contains(".")
        return HTML.element("tr", .class(nested ? "nested" : "whole")) {
            HTML.element("th", .other("scope", "row")) {
                step.step.split(separator: ".").last.map(String.init) ?? step.step
                if let detail = step.detail, !detail.isEmpty {
                    HTML.element("span", .class("detail")) { detail }
                }
            }
            HTML.element("td") { time(step.startedAt.rfc3339) }
            HTML.element("td") {
                switch step.result {
                case .done: humanDuration(milliseconds: step.milliseconds ?? 0)
                case .failed:
                    badge(Wording(label: "Failed", tone: .bad))
                    " after \(humanDuration(milliseconds: step.milliseconds ?? 0))"
                case .unfinished: badge(Wording(label: "Unfinished", tone: .caution))
                }
            }
            HTML.element("td", .class("course"), .other("aria-hidden", "true")) {
                HTML.element(
                    "span", .class(step.result == .failed ? "bar failed" : "bar"),
                    .style("margin-left:\(start)%;width:\(width)%")
                ) {}
            }
        }
    }

    /// With one decimal, between 0 and 100.
    private func percent(_ share: Double) -> String {
        let tenths = Int((min(max(share, 0), 1) * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
