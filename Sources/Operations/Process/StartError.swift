/// Why the host does not start: a sentence for the person at the terminal.
package struct StartError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
