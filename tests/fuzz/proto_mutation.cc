#include "tests/fuzz/proto_mutation.h"

#include <limits>
#include <random>
#include <vector>

#include "interpreter/operator.h"
#include "onnx/proto.h"

namespace fp8q::test {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// One field of one message of a model.
struct Place {
  Message* message;
  const FieldDescriptor* field;
  const Reflection& reflection() const { return *message->GetReflection(); }
};

void collect(Message& message, std::vector<Message*>& all) {
  all.push_back(&message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) collect(*reflection.MutableMessage(&message, field), all);
    for (int i = 0; field->is_repeated() && i < reflection.FieldSize(message, field); ++i)
      collect(*reflection.MutableRepeatedMessage(&message, field, i), all);
  }
}

class Mutation {
 public:
  explicit Mutation(unsigned seed) : random_(seed) {}

  void change(onnx::ModelProto& model) {
    for (size_t count = 1 + below(3); count > 0; --count) {
      messages_.clear();
      collect(model, messages_);
      change_field(any_place());
    }
  }

 private:
  size_t below(size_t n) { return random_() % n; }

  // Prefers fields that are set.
  Place any_place() {
    Message* message = messages_[below(messages_.size())];
    std::vector<const FieldDescriptor*> fields;
    message->GetReflection()->ListFields(*message, &fields);
    const auto* type = message->GetDescriptor();
    if (fields.empty() || below(4) == 0)
      return {message,
              type->field(static_cast<int>(below(static_cast<size_t>(type->field_count()))))};
    return {message, fields[below(fields.size())]};
  }

  void change_field(const Place& at) {
    if (!at.field->is_repeated()) {
      if (below(8) == 0) at.reflection().ClearField(at.message, at.field);
      else set(at, -1);
      return;
    }
    const int size = at.reflection().FieldSize(*at.message, at.field);
    const int i = size ? static_cast<int>(below(static_cast<size_t>(size))) : 0;
    switch (size ? below(5) : 0) {
      case 0:
        return add(at);
      case 1:
        return at.reflection().SwapElements(at.message, at.field, i,
                                            static_cast<int>(below(static_cast<size_t>(size))));
      case 2:
        at.reflection().SwapElements(at.message, at.field, i, size - 1);
        return at.reflection().RemoveLast(at.message, at.field);
      default:
        return set(at, i);
    }
  }

  // Adds a copy of a message of the same type, from anywhere in the model, or a value.
  void add(const Place& at) {
    const Reflection& r = at.reflection();
    switch (at.field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const std::string other = bytes_of_another(at.field->message_type());
        r.AddMessage(at.message, at.field)->ParsePartialFromString(other);
        return;
      }
      case FieldDescriptor::CPPTYPE_STRING:
        return r.AddString(at.message, at.field, text(at.field->name()));
      case FieldDescriptor::CPPTYPE_INT32:
        return r.AddInt32(at.message, at.field, static_cast<int32_t>(integer()));
      case FieldDescriptor::CPPTYPE_INT64:
        return r.AddInt64(at.message, at.field, integer());
      case FieldDescriptor::CPPTYPE_UINT64:
        return r.AddUInt64(at.message, at.field, static_cast<uint64_t>(integer()));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return r.AddFloat(at.message, at.field, static_cast<float>(real()));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return r.AddDouble(at.message, at.field, real());
      default:
        return;
    }
  }

  void set(const Place& at, int i) {
    const Reflection& r = at.reflection();
    const bool repeated = i >= 0;
    const auto put = [&](auto setter, auto repeated_setter, auto value) {
      if (repeated) (r.*repeated_setter)(at.message, at.field, i, value);
      else (r.*setter)(at.message, at.field, value);
    };
    switch (at.field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const std::string other = bytes_of_another(at.field->message_type());
        Message* changed = repeated ? r.MutableRepeatedMessage(at.message, at.field, i)
                                    : r.MutableMessage(at.message, at.field);
        changed->ParsePartialFromString(other);
        return;
      }
      case FieldDescriptor::CPPTYPE_STRING:
        return put(&Reflection::SetString, &Reflection::SetRepeatedString, text(at.field->name()));
      case FieldDescriptor::CPPTYPE_INT32:
        return put(&Reflection::SetInt32, &Reflection::SetRepeatedInt32,
                   static_cast<int32_t>(integer()));
      case FieldDescriptor::CPPTYPE_INT64:
        return put(&Reflection::SetInt64, &Reflection::SetRepeatedInt64, integer());
      case FieldDescriptor::CPPTYPE_UINT64:
        return put(&Reflection::SetUInt64, &Reflection::SetRepeatedUInt64,
                   static_cast<uint64_t>(integer()));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return put(&Reflection::SetFloat, &Reflection::SetRepeatedFloat,
                   static_cast<float>(real()));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return put(&Reflection::SetDouble, &Reflection::SetRepeatedDouble, real());
      case FieldDescriptor::CPPTYPE_ENUM:
        return put(&Reflection::SetEnumValue, &Reflection::SetRepeatedEnumValue,
                   static_cast<int>(below(16)));
      default:
        return;
    }
  }

  // Returns a message of this type from anywhere in the model, serialized, because it may lie
  // within the one that it replaces.
  std::string bytes_of_another(const google::protobuf::Descriptor* type) {
    std::vector<const Message*> same;
    for (const Message* message : messages_)
      if (message->GetDescriptor() == type) same.push_back(message);
    return same.empty() ? std::string() : same[below(same.size())]->SerializePartialAsString();
  }

  // The name of an operator for op_type, otherwise usually a text of a field of the same name.
  std::string text(const std::string& field) {
    if (field == "op_type" && below(2)) {
      const auto all = all_operators();
      return std::string(all[below(all.size())].name);
    }
    if (below(8) == 0) return std::string(below(2) ? 0 : below(40), static_cast<char>(below(256)));
    if (field == "raw_data" && below(2))
      return std::string(below(65), static_cast<char>(below(256)));
    std::vector<std::string> texts;
    for (const Message* message : messages_) collect_texts(*message, field, texts);
    return texts.empty() ? "x" : texts[below(texts.size())];
  }

  // Names of values stand in three fields.
  static void collect_texts(const Message& message, const std::string& field,
                            std::vector<std::string>& texts) {
    const bool name = field == "input" || field == "output" || field == "name";
    const Reflection& r = *message.GetReflection();
    std::vector<const FieldDescriptor*> set;
    r.ListFields(message, &set);
    for (const FieldDescriptor* f : set) {
      if (f->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
      const bool alike =
          f->name() == field ||
          (name && (f->name() == "input" || f->name() == "output" || f->name() == "name"));
      if (!alike) continue;
      if (!f->is_repeated()) texts.push_back(r.GetString(message, f));
      for (int i = 0; f->is_repeated() && i < r.FieldSize(message, f); ++i)
        texts.push_back(r.GetRepeatedString(message, f, i));
    }
  }

  int64_t integer() {
    static const std::vector<int64_t> odd = {-2147483648,
                                             -65537,
                                             -17,
                                             -2,
                                             -1,
                                             127,
                                             128,
                                             255,
                                             256,
                                             65536,
                                             16777217,
                                             2147483647,
                                             2147483648,
                                             4294967296,
                                             int64_t{1} << 40,
                                             int64_t{1} << 62,
                                             std::numeric_limits<int64_t>::max(),
                                             std::numeric_limits<int64_t>::min()};
    return below(3) ? static_cast<int64_t>(below(28)) : odd[below(odd.size())];
  }

  double real() {
    static const std::vector<double> odd = {0,
                                            -0.0,
                                            1,
                                            -1,
                                            0.5,
                                            1e-45,
                                            3.4e38,
                                            -3.4e38,
                                            1e300,
                                            std::numeric_limits<double>::infinity(),
                                            std::numeric_limits<double>::quiet_NaN()};
    return odd[below(odd.size())];
  }

  std::mt19937 random_;
  std::vector<Message*> messages_;
};

}  // namespace

std::optional<std::string> mutated_model(const std::string& bytes, unsigned seed) {
  onnx::ModelProto model;
  if (!model.ParsePartialFromString(bytes) || !model.has_graph()) return std::nullopt;
  Mutation(seed).change(model);
  return model.SerializePartialAsString();
}

}  // namespace fp8q::test
