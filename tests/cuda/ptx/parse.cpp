/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads one kernel of a PTX text, as nvcc writes it. Every operand becomes a
 * slot: registers, constants, addresses of variables and special registers
 * alike, so that instructions need not tell them apart. */
#include "ptx.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>

namespace ptx {
namespace {

using std::string;
using std::string_view;

bool
is_name (char c)
{
  return isalnum ((unsigned char) c) || c == '_' || c == '$' || c == '%'
         || c == '.';
}

string_view
trim (string_view text)
{
  while (!text.empty () && isspace ((unsigned char) text.front ()))
    text.remove_prefix (1);
  while (!text.empty () && isspace ((unsigned char) text.back ()))
    text.remove_suffix (1);
  return text;
}

bool
starts (string_view text, string_view with)
{
  return text.substr (0, with.size ()) == with;
}

/** Takes the first word, up to space. */
string_view
take_word (string_view *text)
{
  *text = trim (*text);
  size_t end = 0;
  while (end < text->size () && !isspace ((unsigned char) (*text)[end]))
    end++;
  const string_view word = text->substr (0, end);
  *text = trim (text->substr (end));
  return word;
}

std::vector<string>
split (string_view text, char at)
{
  std::vector<string> parts (1);
  for (const char c : text)
    if (c == at)
      parts.emplace_back ();
    else
      parts.back () += c;
  return parts;
}

/** Of "b32", "f64", "pred": 'w', 'd', 'p'. */
char
kind_of_type (string_view type)
{
  return type == "pred" ? 'p' : type.substr (1) == "64" ? 'd' : 'w';
}

size_t
bytes_of_type (string_view type)
{
  return strtoul (string (type.substr (1)).c_str (), nullptr, 10) / 8;
}

struct Register {
  uint32_t slot;
  char kind;
};

class Parser {
public:
  Parser (const Module &module, const string &name);
  std::unique_ptr<Kernel> run ();

private:
  [[noreturn]] void fail (const char *format, ...)
      __attribute__ ((format (printf, 2, 3)));
  string_view next ();
  void skip_blank ();
  uint32_t allocate (char kind);
  uint32_t constant (char kind, uint64_t bits);
  void shared_variables ();
  void header ();
  void parameter (string_view text);
  void variable (string_view text);
  void registers (string_view text);
  void location (string_view text);
  void instruction (string_view text);
  void operands (string_view text, const Operation &operation, Instruction *in);
  void address (string_view text, Instruction *in);
  uint32_t operand (string_view text, char kind);
  void branch_to (string_view label, Instruction *in);
  void smallest_access ();
  void post_dominators ();

  string_view text;
  size_t at;
  uint32_t line;
  std::unique_ptr<Kernel> kernel;
  std::map<string, Register, std::less<> > names;
  std::map<string, uint64_t, std::less<> > symbols;
  std::map<std::pair<char, uint64_t>, uint32_t> constants;
  std::map<string, uint32_t, std::less<> > labels;
  std::map<uint32_t, string> wanted; ///< labels of branches
  string dynamic;                    ///< the name of dynamic shared memory
  uint32_t file = 0, source_line = 0;
};

Parser::Parser (const Module &module, const string &name)
    : text (module.text), kernel (new Kernel)
{
  kernel->module = &module;
  kernel->slots = 1;
  int status;
  char *plain = abi::__cxa_demangle (name.c_str (), nullptr, nullptr, &status);
  kernel->name = plain ? plain : name;
  free (plain);
  for (const string word : { "(anonymous namespace)::", "void " })
    for (size_t i; (i = kernel->name.find (word)) != string::npos;)
      kernel->name.erase (i, word.size ());
  kernel->name = kernel->name.substr (0, kernel->name.rfind ('('));
  const string begin = ".entry " + name + "(";
  at = text.find (begin);
  line = 1;
  if (at == string_view::npos)
    fail ("no such kernel for sm_%d", module.architecture);
  for (size_t i = 0; i < at; i++)
    line += text[i] == '\n';
  at += begin.size ();
}

void
Parser::fail (const char *format, ...)
{
  va_list args;
  fprintf (
      stderr, "PTX: kernel %s, PTX line %u: ", kernel->name.c_str (), line);
  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
  abort ();
}

void
Parser::skip_blank ()
{
  for (; at < text.size (); at++) {
    if (starts (text.substr (at, 2), "//"))
      at = text.find ('\n', at);
    if (!isspace ((unsigned char) text[at]))
      return;
    line += text[at] == '\n';
  }
  fail ("no end");
}

/** The next statement without its end, a label with its colon, or a brace. */
string_view
Parser::next ()
{
  skip_blank ();
  size_t end = at;
  if (text[at] == '{' || text[at] == '}')
    return text.substr (at++, 1);
  const string_view rest = text.substr (at);
  if (starts (rest, ".loc\t")) {
    end = text.find ('\n', at);
    const string_view it = text.substr (at, end - at);
    at = end;
    return it;
  }
  while (is_name (text[end]))
    end++;
  if (text[end] == ':') {
    const string_view it = text.substr (at, end + 1 - at);
    at = end + 1;
    return it;
  }
  end = text.find (';', at);
  if (end == string_view::npos)
    fail ("no semicolon");
  const string_view it = text.substr (at, end - at);
  at = end + 1;
  return it;
}

uint32_t
Parser::allocate (char kind)
{
  const uint32_t slot = kernel->slots;
  kernel->slots += kind == 'd' ? 2 : 1;
  return slot;
}

uint32_t
Parser::constant (char kind, uint64_t bits)
{
  if (kind == 'w')
    bits = (uint32_t) bits;
  const auto found = constants.find ({ kind, bits });
  if (found != constants.end ())
    return found->second;
  const uint32_t slot = allocate (kind);
  kernel->constants.push_back ({ slot, kind, bits });
  constants[{ kind, bits }] = slot;
  return slot;
}

/** ".shared .align 16 .b8 name[100]" and the like: shared and local memory. */
void
Parser::variable (string_view declaration)
{
  size_t alignment = 1, bytes = 0;
  string_view space, type;
  while (starts (declaration, ".")) {
    const string_view word = take_word (&declaration).substr (1);
    if (word == "align")
      alignment = strtoul (string (take_word (&declaration)).c_str (), 0, 10);
    else if (word == "shared" || word == "local")
      space = word;
    else if (word != "extern" && word != "visible")
      type = word;
  }
  const size_t bracket = declaration.find ('[');
  const string name (trim (declaration.substr (0, bracket)));
  bytes = bytes_of_type (type);
  if (bracket != string_view::npos)
    bytes *=
        strtoul (string (declaration.substr (bracket + 1)).c_str (), 0, 10);
  if (declaration.find ("[]") != string_view::npos) {
    dynamic = name;
    return;
  }
  size_t *end =
      space == "shared" ? &kernel->shared_bytes : &kernel->local_bytes;
  alignment = std::max (alignment, bytes_of_type (type));
  *end = (*end + alignment - 1) / alignment * alignment;
  symbols[name] = *end;
  *end += bytes;
}

/** Of the module's shared variables, in kernels and outside, those that this
 * kernel names. Variables of other spaces are not known here: who names one ends
 * in a message. */
void
Parser::shared_variables ()
{
  const string_view body = text.substr (at, text.find (".entry ", at) - at);
  for (size_t i = 0; (i = text.find (".shared .align", i)) != string_view::npos;
       i++) {
    const string_view it = text.substr (i, text.find (';', i) - i);
    const size_t name = it.find (".b8 ") + 4;
    if (body.find (trim (it.substr (name, it.find ('[') - name)))
        != string_view::npos)
      variable (it);
  }
}

void
Parser::parameter (string_view declaration)
{
  size_t alignment = 0;
  string_view type;
  while (starts (declaration, ".")) {
    const string_view word = take_word (&declaration).substr (1);
    if (word == "align")
      alignment = strtoul (string (take_word (&declaration)).c_str (), 0, 10);
    else if (word != "param" && word != "ptr" && word != "global")
      type = word;
  }
  size_t bytes = bytes_of_type (type);
  alignment = std::max (alignment, bytes);
  const size_t bracket = declaration.find ('[');
  if (bracket != string_view::npos)
    bytes *=
        strtoul (string (declaration.substr (bracket + 1)).c_str (), 0, 10);
  size_t *end = &kernel->parameter_bytes;
  *end = (*end + alignment - 1) / alignment * alignment;
  symbols[string (trim (declaration.substr (0, bracket)))] = *end;
  kernel->parameters.push_back ({ *end, bytes });
  *end += bytes;
}

/** Parameters, then what the kernel promises. */
void
Parser::header ()
{
  const size_t end = text.find (')', at);
  for (const string &one : split (text.substr (at, end - at), ','))
    if (!trim (one).empty ())
      parameter (trim (one));
  const size_t body = text.find ('{', end);
  string_view promises = text.substr (end + 1, body - end - 1);
  const size_t most = promises.find ("ntid ");
  if (most != string_view::npos) { /* .maxntid or .reqntid */
    unsigned x = 1, y = 1, z = 1;
    sscanf (
        string (promises.substr (most + 5)).c_str (), "%u, %u, %u", &x, &y, &z);
    kernel->most_threads = x * y * z;
  }
  for (; at < body + 1; at++)
    line += text[at] == '\n';
}

/** ".reg .b32 %r<100>" or ".reg .b32 a, b". Scopes in inline assembly declare
 * the same names again and again. */
void
Parser::registers (string_view declaration)
{
  take_word (&declaration);
  const char kind = kind_of_type (take_word (&declaration).substr (1));
  for (const string &each : split (declaration, ',')) {
    const string name (trim (each));
    const size_t range = name.find ('<');
    const unsigned count =
        range == string::npos
            ? 1
            : (unsigned) strtoul (name.c_str () + range + 1, 0, 10);
    for (unsigned i = 0; i < count; i++) {
      const string one = range == string::npos
                             ? name
                             : name.substr (0, range) + std::to_string (i);
      const auto found = names.find (one);
      if (found == names.end () || found->second.kind != kind)
        names[one] = { allocate (kind), kind };
    }
  }
}

void
Parser::location (string_view loc)
{
  sscanf (string (loc).c_str (), ".loc %u %u", &file, &source_line);
}

uint32_t
Parser::operand (string_view name, char kind)
{
  const auto found = names.find (name);
  if (name == "_")
    return NOWHERE;
  if (found != names.end ()) {
    if (kind != found->second.kind)
      fail ("%.*s has another width than its instruction", (int) name.size (),
          name.data ());
    return found->second.slot;
  }
  if (name == dynamic) /* behind the static variables */
    return constant (kind, (kernel->shared_bytes + 15) / 16 * 16);
  const auto symbol = symbols.find (name);
  if (symbol != symbols.end ())
    return constant (kind, symbol->second);
  if (starts (name, "%")) { /* %tid.x */
    const uint32_t slot = allocate ('w');
    kernel->specials.push_back ({ slot, string (name) });
    names[string (name)] = { slot, 'w' };
    return operand (name, kind);
  }
  const string digits (name);
  if (starts (name, "0f") || starts (name, "0d"))
    return constant (kind, strtoull (digits.c_str () + 2, nullptr, 16));
  char *end;
  const int64_t number = starts (name, "-")
                             ? (int64_t) strtoll (digits.c_str (), &end, 0)
                             : (int64_t) strtoull (digits.c_str (), &end, 0);
  if (end == digits.c_str () || (*end && *end != 'U'))
    fail ("unknown operand %s", digits.c_str ());
  return constant (kind, kind == 'p' && number ? ALL : (uint64_t) number);
}

/** "[%rd1+4]", "[name]" */
void
Parser::address (string_view bracketed, Instruction *in)
{
  const string_view inside = trim (bracketed.substr (1, bracketed.size () - 2));
  const size_t plus = inside.find ('+');
  const string_view base = trim (inside.substr (0, plus));
  in->offset = plus == string_view::npos
                   ? 0
                   : strtoll (string (inside.substr (plus + 1)).c_str (), 0, 0);
  const auto found = names.find (base);
  in->address_wide = found == names.end () || found->second.kind == 'd';
  in->address = operand (base, in->address_wide ? 'd' : 'w');
}

/** Splits at commas, without the braces of vectors. */
std::vector<string>
split_operands (string_view text)
{
  std::vector<string> parts;
  string part;
  int brackets = 0;
  for (const char c : string (text) + ",") {
    brackets += (c == '[') - (c == ']');
    if ((c == ',' || c == '|') && !brackets) {
      if (!trim (part).empty ())
        parts.emplace_back (trim (part));
      part.clear ();
    } else if (c != '{' && c != '}') {
      part += c;
    }
  }
  return parts;
}

void
Parser::operands (string_view list, const Operation &operation, Instruction *in)
{
  size_t count = 0;
  for (const string &part : split_operands (list)) {
    if (part[0] == '[' && in->address == NOWHERE) {
      address (part, in);
      continue;
    }
    string_view name = part;
    if (part[0] == '[') /* the second address of cp.async */
      name = trim (name.substr (1, name.size () - 2));
    if (count == MOST_OPERANDS || count == operation.operands.size ())
      fail ("too many operands");
    in->operand[count] = operand (name, operation.operands[count]);
    count++;
  }
  if (count != operation.operands.size ())
    fail ("%zu operands, %zu expected", count, operation.operands.size ());
}

void
Parser::branch_to (string_view label, Instruction *in)
{
  in->run = branch;
  in->kind = CONTROLS;
  wanted[(uint32_t) kernel->code.size ()] = string (trim (label));
}

/** Loads and stores take whatever width of register they are given: the kinds
 * of their operands. */
string
kinds_of_access (const std::map<string, Register, std::less<> > &names,
    string_view list, const Instruction &in)
{
  string kinds;
  for (const string &part : split_operands (list)) {
    const auto found = names.find (part);
    if (part[0] != '[')
      kinds += found != names.end () ? found->second.kind
               : in.width == 8       ? 'd'
                                     : 'w';
  }
  return kinds;
}

void
Parser::instruction (string_view statement)
{
  Instruction in = {};
  in.text = statement;
  in.line = line;
  in.file = file;
  in.source_line = source_line;
  if (statement[0] == '@') {
    in.guard_not = statement[1] == '!';
    const string_view guard = take_word (&statement);
    in.guard = operand (guard.substr (in.guard_not ? 2 : 1), 'p');
  }
  string name (take_word (&statement)), with_predicate;
  if (starts (name, "mov.") && statement.find ('{') != string_view::npos)
    name += statement[0] == '{' ? ".unpack" : ".pack";
  if (starts (name, "shfl.") && statement.find ('|') == string_view::npos) {
    with_predicate = string (statement).insert (statement.find (','), "|_");
    statement = with_predicate;
  }
  if (name == "bra" || name == "bra.uni") {
    branch_to (statement, &in);
  } else if (name == "ret" || name == "exit") {
    in.run = leave;
    in.kind = CONTROLS;
  } else if (const Operation *operation = find_operation (name)) {
    in.run = operation->run;
    in.kind = operation->kind;
    operands (statement, *operation, &in);
  } else if (decode_access (split (name, '.'), &in)) {
    const string kinds = kinds_of_access (names, statement, in);
    in.wide = !kinds.empty () && kinds[0] == 'd';
    operands (statement, { in.run, in.kind, kinds }, &in);
    if (kinds.size () != in.count)
      fail ("%zu registers, %u expected", kinds.size (), in.count);
  } else {
    fail ("unknown instruction: %.*s", (int) in.text.size (), in.text.data ());
  }
  kernel->code.push_back (in);
}

std::unique_ptr<Kernel>
Parser::run ()
{
  shared_variables ();
  header ();
  for (int depth = 1; depth > 0;) {
    const string_view statement = next ();
    if (statement == "{" || statement == "}")
      depth += statement == "{" ? 1 : -1;
    else if (statement.back () == ':')
      labels[string (statement.substr (0, statement.size () - 1))] =
          (uint32_t) kernel->code.size ();
    else if (starts (statement, ".loc\t"))
      location (statement);
    else if (starts (statement, ".reg"))
      registers (statement);
    else if (starts (statement, ".local"))
      variable (statement);
    else if (starts (statement, ".shared") || starts (statement, ".pragma"))
      continue;
    else
      instruction (statement);
    for (const char c : statement)
      line += c == '\n';
  }
  for (const auto &branch : wanted) {
    const auto label = labels.find (branch.second);
    if (label == labels.end ())
      fail ("no label %s", branch.second.c_str ());
    kernel->code[branch.first].target = label->second;
  }
  if (!dynamic.empty ())
    kernel->shared_bytes = (kernel->shared_bytes + 15) / 16 * 16;
  smallest_access ();
  post_dominators ();
  return std::move (kernel);
}

void
Parser::smallest_access ()
{
  unsigned width = 4;
  for (const Instruction &in : kernel->code)
    if (in.kind == TENSORS)
      width = std::min (width, 2u);
    else if (in.width && (in.space == SHARED || in.space == GENERIC))
      width = std::min (width, (unsigned) in.width);
  kernel->cell_shift = width == 4 ? 2 : width == 2 ? 1 : 0;
}

/* ---- where lanes meet again ---------------------------------------------- */

/** Basic blocks, and the immediate post-dominator of each (Cooper, Harvey &
 * Kennedy, "A simple, fast dominance algorithm", on the reversed graph). */
struct Graph {
  std::vector<uint32_t> begin; ///< of blocks; then the exit, past the end
  std::vector<std::vector<uint32_t> > after, before;
  std::vector<uint32_t> order, number; ///< reverse postorder from the exit
  std::vector<uint32_t> dominator;

  explicit Graph (const std::vector<Instruction> &code);
  uint32_t block_of (uint32_t instruction) const;
  void visit (uint32_t block);
  uint32_t meet (uint32_t a, uint32_t b) const;
  void solve ();
};

constexpr uint32_t UNKNOWN = ~0u;

bool
ends_block (const Instruction &in)
{
  return in.run == branch || in.run == leave;
}

Graph::Graph (const std::vector<Instruction> &code)
{
  std::vector<bool> first (code.size () + 1);
  first[0] = first[code.size ()] = true;
  for (size_t i = 0; i < code.size (); i++)
    if (ends_block (code[i])) {
      first[i + 1] = true;
      if (code[i].run == branch)
        first[code[i].target] = true;
    }
  for (uint32_t i = 0; i <= code.size (); i++)
    if (first[i])
      begin.push_back (i);
  after.resize (begin.size ());
  before.resize (begin.size ());
  for (uint32_t b = 0; b + 1 < begin.size (); b++) {
    const Instruction &last = code[begin[b + 1] - 1];
    if (last.run == branch)
      after[b].push_back (block_of (last.target));
    if (last.run == leave)
      after[b].push_back ((uint32_t) begin.size () - 1);
    if (!ends_block (last) || last.guard != NOWHERE)
      after[b].push_back (b + 1);
    for (const uint32_t next : after[b])
      before[next].push_back (b);
  }
}

uint32_t
Graph::block_of (uint32_t instruction) const
{
  return (
      uint32_t) (std::upper_bound (begin.begin (), begin.end (), instruction)
                 - begin.begin () - 1);
}

/** Postorder, without recursion: kernels have thousands of blocks. */
void
Graph::visit (uint32_t root)
{
  std::vector<std::pair<uint32_t, size_t> > stack = { { root, 0 } };
  number[root] = 0;
  while (!stack.empty ()) {
    auto &top = stack.back ();
    if (top.second == before[top.first].size ()) {
      order.push_back (top.first);
      stack.pop_back ();
      continue;
    }
    const uint32_t next = before[top.first][top.second++];
    if (number[next] == UNKNOWN) {
      number[next] = 0;
      stack.push_back ({ next, 0 });
    }
  }
}

uint32_t
Graph::meet (uint32_t a, uint32_t b) const
{
  while (a != b) {
    while (number[a] < number[b])
      a = dominator[a];
    while (number[b] < number[a])
      b = dominator[b];
  }
  return a;
}

void
Graph::solve ()
{
  const uint32_t exit = (uint32_t) begin.size () - 1;
  number.assign (begin.size (), UNKNOWN);
  dominator.assign (begin.size (), UNKNOWN);
  visit (exit);
  for (uint32_t i = 0; i < order.size (); i++)
    number[order[i]] = i;
  dominator[exit] = exit;
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = order.size () - 1; i-- > 0;) {
      const uint32_t block = order[i];
      uint32_t now = UNKNOWN;
      for (const uint32_t next : after[block])
        if (dominator[next] != UNKNOWN)
          now = now == UNKNOWN ? next : meet (now, next);
      changed = changed || now != dominator[block];
      dominator[block] = now;
    }
  }
}

void
Parser::post_dominators ()
{
  Graph graph (kernel->code);
  graph.solve ();
  for (uint32_t i = 0; i < kernel->code.size (); i++)
    if (kernel->code[i].run == branch) {
      const uint32_t at = graph.dominator[graph.block_of (i)];
      kernel->code[i].reconverge =
          at == UNKNOWN ? (uint32_t) kernel->code.size () : graph.begin[at];
    }
}

} // namespace

std::unique_ptr<Kernel>
parse (const Module &module, const string &name)
{
  return Parser (module, name).run ();
}

string
Module::file (uint32_t number) const
{
  const string begin = "\n.file\t" + std::to_string (number) + " \"";
  size_t at = text.find (begin);
  if (at == string_view::npos)
    return "?";
  at += begin.size ();
  const string path (text.substr (at, text.find ('"', at) - at));
  return path.substr (path.rfind ('/') + 1);
}

} // namespace ptx
