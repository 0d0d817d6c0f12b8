# The names that the expressions may use. Every one has a value.

variable "plain" {
  default = { b = 1, a = "x" }
}

variable "any" {
  type    = any
  default = [1, "a", true]
}

variable "text" {
  type    = string
  default = 1.50
}

variable "number" {
  type    = number
  default = "1.50"
}

variable "bool" {
  type    = bool
  default = "true"
}

variable "nothing" {
  type    = string
  default = null
}

variable "texts" {
  type    = list(string)
  default = [1, true, "e\u0301"]
}

variable "numbers" {
  type    = set(number)
  default = ["3", 1, 2, 1, 10]
}

variable "names" {
  type    = set(string)
  default = ["b", "a", "b", 3]
}

variable "days" {
  type    = map(number)
  default = { b = "90", a = 30 }
}

variable "mixed" {
  type    = map(any)
  default = { b = 1, a = "x" }
}

variable "mixed_list" {
  type    = list(any)
  default = [1, "a"]
}

variable "pair" {
  type    = tuple([string, number])
  default = [1, "2"]
}

variable "object" {
  type = object({
    name = string
    days = optional(number, 30)
    tags = optional(map(string), { a = "b" })
    none = optional(string)
    deep = optional(object({ on = optional(bool, true), at = optional(string) }), {})
  })
  default = { name = 5, more = "dropped" }
}

variable "objects" {
  type = map(object({
    name = optional(string, "unnamed")
    days = optional(number)
    list = optional(list(string), [])
  }))
  default = {
    one = { days = "7" }
    two = { name = null, list = [1] }
  }
}

variable "listed" {
  type    = list(object({ a = string, b = optional(number, 1) }))
  default = [{ a = 1 }, { a = "x", b = null }, { a = true, b = "2" }]
}

variable "nested" {
  type    = map(map(list(string)))
  default = { a = { x = [1, 2] }, b = {} }
}

variable "never_null" {
  type     = string
  default  = "x"
  nullable = false
}

variable "secret" {
  type      = string
  default   = "hidden"
  sensitive = true
}

variable "secrets" {
  type      = object({ user = string, password = string })
  default   = { user = "u", password = "p" }
  sensitive = true
}

variable "empty" {
  type    = list(string)
  default = []
}

variable "empty_map" {
  type    = map(string)
  default = {}
}

variable "tuple_of_any" {
  type    = tuple([any, bool])
  default = [{ a = 1 }, "false"]
}

locals {
  one     = 1
  two     = local.one + 1
  list    = ["a", "b"]
  objects = { b = { n = 2 }, a = { n = 1 } }
  nested  = { for k, v in local.objects : k => merge(v, { twice = v.n * 2 }) }
  secret  = "s-${var.secret}"
  third   = 1 / 3
  text    = <<-EOT
    one
      two
  EOT
}

locals {
  of_both = [local.two, length(local.list), var.number]
  unused  = null
}
