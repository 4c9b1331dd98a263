/// A number of things in words, such as "1 unit" or "2 units".
func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
