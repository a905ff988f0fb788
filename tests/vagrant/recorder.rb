# Runs a Vagrantfile without Vagrant and prints what it says to Vagrant: every call on a configuration object.
#
#   ruby recorder.rb DIRECTORY/Vagrantfile
#
# The order is Vagrant's (2.4, lib/vagrant/config/loader.rb and plugins/kernel_v2/config/vm.rb): the whole file, then the
# blocks of `Vagrant.configure`, then those of each machine, then those of providers.

class Recorder < BasicObject
  def initialize(path, calls, machines)
    @path, @calls, @machines = path, calls, machines
  end

  def tap
    yield self
    self
  end

  def send(name, *args, **options, &block)
    method_missing(name, *args, **options, &block)
  end
  alias public_send send

  def method_missing(name, *args, **options, &block)
    method = @path.empty? ? name.to_s : "#{@path}.#{name}"
    if args.empty? && options.empty? && block.nil?
      return ::Recorder.new(method, @calls, @machines)
    end
    if method == "vm.define"
      (@machines[args[0].to_s] ||= []).push(*[block].compact)
      return
    end
    call = {method: method, args: args, options: options, inside: []}
    @calls << call
    if method == "vm.provider"
      call[:late] = block
    elsif block
      inside = ::Recorder.new("", call[:inside], {})
      block.arity == 2 ? block.call(inside, inside) : block.call(inside)
    end
    nil
  end

  def respond_to_missing?(*)
    true
  end
end

module Vagrant
  BLOCKS = []
  VERSION = "2.4.9"

  def self.configure(version, &block)
    BLOCKS << block
  end

  def self.has_plugin?(*)
    false
  end

  def self.require_version(*); end

  module Util
    module Platform
      def self.windows? = false
      def self.darwin? = false
    end
  end
end

def show(value)
  case value
  when String then '"' + value.gsub(Dir.pwd, ".").gsub("\\") { "\\\\" }.gsub('"', '\\"').gsub("\n", '\\n').gsub("\t", '\\t') + '"'
  when Symbol then ":#{value}"
  when nil then "nil"
  when Integer, true, false then value.to_s
  when Range then "#{value.first}..#{value.last}"
  when Array then "[#{value.map { |item| show(item) }.join(', ')}]"
  when Hash then "{#{value.map { |key, item| "#{show(key)} => #{show(item)}" }.join(', ')}}"
  else "…"
  end
end

def dump(calls, depth = 0)
  calls.each do |call|
    parts = call[:args].map { |arg| show(arg) } + call[:options].map { |key, arg| "#{key}: #{show(arg)}" }
    STDOUT.puts "#{'  ' * depth}#{call[:method]} #{parts.join(', ')}".rstrip
    dump(call[:inside], depth + 1)
  end
end

def providers(calls)
  calls.select { |call| call[:late] }.each do |call|
    overrides = call[:args][0].to_s == "virtualbox" ? calls : []
    inside = Recorder.new("", call[:inside], {})
    block = call[:late]
    block.arity == 2 ? block.call(inside, Recorder.new("", overrides, {})) : block.call(inside)
  end
end

def run(file)
  Dir.chdir(File.dirname(file))
  load File.join(Dir.pwd, File.basename(file))
  common, machines = [], {}
  Vagrant::BLOCKS.each { |block| block.call(Recorder.new("", common, machines)) }
  recorded = machines.map do |name, blocks|
    calls = []
    blocks.each { |block| block.arity == 2 ? block.call(Recorder.new("", calls, {}), nil) : block.call(Recorder.new("", calls, {})) }
    [name, calls]
  end
  ([["", common]] + recorded).each do |name, calls|
    providers(calls)
    STDOUT.puts name.empty? ? "all machines" : "machine #{name}"
    dump(calls, 1)
  end
end

STDOUT.set_encoding("UTF-8")
$stdout = File.open(File::NULL, "w")
run(ARGV.shift)
